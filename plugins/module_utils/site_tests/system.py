# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""System: equal kernels and versions, time, watchdog, nothing that starts or mounts a part of a package by itself."""

from __future__ import annotations

from .built import await_build
from .verdict import judge, warn

CATEGORY = "system"
#: The nodes are asked at about the same moment; ownership itself never compares clocks.
CLOCK_SECONDS = 10.0


def run_system_tests(site, seen):
    """All tests of the category."""
    known = {node: observation for node, observation in seen.items() if observation}
    missing = [f"{node} could not be asked" for node, observation in seen.items() if not observation]
    paths = {item["path"]: package["name"] for package in site["packages"] for item in package["storage"]["filesystems"]}
    return [
        warn(CATEGORY, "kernels are equal", list(_different({n: o["kernel"] for n, o in known.items()}, "kernel")), missing),
        judge(CATEGORY, "versions of packages are equal", list(_different_versions(known)), missing),
        warn(CATEGORY, "clocks agree", list(_clocks_apart(known)), missing),
        *await_build([judge(CATEGORY, "there is a watchdog", list(_without_watchdog(site, known)), missing)], seen),
        judge(CATEGORY, "nothing of a package is in fstab", list(_in_fstab(known, paths)), missing),
        judge(CATEGORY, "no unit of a package starts at boot", list(_enabled_units(known)), missing),
        *await_build([judge(CATEGORY, "names resolve", list(_unresolved(known)), missing)], seen),
    ]


def _different(values, what):
    if len(set(values.values())) > 1:
        yield f"{what}: " + ", ".join(f"{node} {value or 'not installed'}" for node, value in sorted(values.items()))


def _different_versions(seen):
    names = sorted({name for observation in seen.values() for name in observation["packages"]})
    for name in names:
        yield from _different({node: observation["packages"].get(name) for node, observation in seen.items()}, name)


def _clocks_apart(seen):
    for node, observation in seen.items():
        if observation["clock"]["synchronised"] is False:
            yield f"{node}: nobody keeps its clock in time"
    walls = {node: observation["clock"]["wall"] for node, observation in seen.items()}
    first, last = (choose(walls, key=walls.get, default=None) for choose in (min, max))
    if first is not None and walls[last] - walls[first] > CLOCK_SECONDS:
        yield f"{first} is {walls[last] - walls[first]:.0f} s behind {last}"


def _without_watchdog(site, seen):
    """The legacy name stands for the first numbered one."""
    name = site["cluster"]["watchdog"].rpartition("/")[2]
    wanted = "watchdog0" if name == "watchdog" else name
    for node, observation in seen.items():
        if wanted not in observation["watchdogs"]:
            yield f"{node}: no {site['cluster']['watchdog']}; a node that cannot stop would not be stopped"


def _in_fstab(seen, paths):
    for node, observation in seen.items():
        for row in observation["fstab"]:
            if row["path"] in paths:
                yield f"{node}: /etc/fstab mounts {row['path']} of package {paths[row['path']]}; take that line out"


def _enabled_units(seen):
    for node, observation in seen.items():
        for name, state in observation["units"].items():
            if state in ("enabled", "enabled-runtime"):
                yield f"{node}: {name} starts at boot; systemctl disable {name}"


def _unresolved(seen):
    for node, observation in seen.items():
        for name, addresses in observation["names"].items():
            if not addresses:
                yield f"{node}: {name} does not resolve"
