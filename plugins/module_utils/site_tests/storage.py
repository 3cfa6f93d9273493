# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Storage: every LUN on every path of every node, the same everywhere, fit for reservations, quick enough."""

from __future__ import annotations

from .built import await_build
from .verdict import SKIPPED, Result, judge, warn

CATEGORY = "storage"
#: A defence writes once per round; a path slower than this makes the fast profile's rounds late.
SLOW_MILLISECONDS = 200


def run_storage_tests(site, seen, nodes_of_lun):
    """All tests of the category that need no spare LUN. I(nodes_of_lun): LUN -> nodes that must see it."""
    missing = [f"{node} could not be asked" for node, observation in seen.items() if not observation]
    known = {node: observation["luns"] for node, observation in seen.items() if observation}
    unseen = list(_unseen(known, nodes_of_lun))
    # What is not seen was not looked at either.
    unknown = [*missing, *unseen]
    results = [
        judge(CATEGORY, "every node sees its LUNs", unseen, missing),
        judge(CATEGORY, "every LUN has all its paths", list(_lost_paths(site, known)), unknown),
        judge(CATEGORY, "a LUN has the same size everywhere", list(_different_sizes(site, known)), unknown),
        judge(CATEGORY, "LUNs can be reserved", list(_unfit(known)), unknown),
        judge(CATEGORY, "nodes see the same reservations", list(_different_keys(known)), unknown),
        warn(CATEGORY, "paths answer quickly", list(_slow(known)), unknown),
    ]
    if not site["luns"]:
        return [Result(CATEGORY, result.name, SKIPPED, ("the site defines no LUN",)) for result in results]
    return await_build(results, seen)


def _visible(known):
    for node, luns in known.items():
        for name, lun in luns.items():
            if not lun["error"]:
                yield node, name, lun


def _unseen(known, nodes_of_lun):
    for name, nodes in nodes_of_lun.items():
        for node in nodes:
            if node not in known:
                continue
            error = known[node][name]["error"]
            if error:
                yield f"{node}: {name}: {error}"


def _lost_paths(site, known):
    expected = len(site["cluster"]["storage_networks"])
    for node, name, lun in _visible(known):
        if len(lun["paths"]) != expected:
            yield f"{node}: {name} has {len(lun['paths'])} paths of {expected}"


def _different_sizes(site, known):
    for node, name, lun in _visible(known):
        wanted = site["luns"][name]["size_bytes"]
        if len(lun["bytes"]) != 1:
            yield f"{node}: the paths of {name} have different sizes: {lun['bytes']}"
        elif lun["bytes"][0] < wanted:
            yield f"{node}: {name} has {lun['bytes'][0]} bytes, the definition says {wanted}"


def _unfit(known):
    for node, name, lun in _visible(known):
        if lun["missing_capabilities"]:
            yield f"{node}: {name} lacks {', '.join(lun['missing_capabilities'])}"


def _different_keys(known):
    first = {}
    for node, name, lun in _visible(known):
        other, holder = first.setdefault(name, (node, lun["holder"]))
        if lun["holder"] != holder:
            yield f"{name}: {other} sees holder {holder}, {node} sees {lun['holder']}; are these the same LUN?"


def _slow(known):
    for node, name, lun in _visible(known):
        if lun["read_milliseconds"] > SLOW_MILLISECONDS:
            yield f"{node}: a read of {name} took {lun['read_milliseconds']} ms"
