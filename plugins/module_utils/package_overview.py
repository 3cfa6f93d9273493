# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""The packages of a cluster, put together from what every node says. Pure."""

from __future__ import annotations

_COLUMNS = ("PACKAGE", "STATE", "OWNER", "SINCE", "ADDRESS", "REASON")


def build_overview(answers):
    """Packages by name from the answers of M(package_info) by node; None is a node that did not answer.

    A package has its document, the digest of every node's copy, every node's view, and the owner that the nodes name.
    """
    packages = {}
    for node, answer in answers.items():
        for name, package in (answer or {}).get("packages", {}).items():
            merged = packages.setdefault(name, {"document": _document(package), "digests": {}, "observed": {}})
            merged["digests"][node] = package["digest"]
            merged["observed"][node] = package["observed"]
    for merged in packages.values():
        merged["owner"] = find_owner(merged["observed"])
        merged["same_everywhere"] = len(set(merged["digests"].values())) == 1
    return {"nodes": {node: (answer or {}).get("node") for node, answer in answers.items()}, "packages": packages}


def _document(package):
    return {key: value for key, value in package.items() if key not in ("digest", "observed")}


def find_owner(observed):
    """The node that says of itself that it owns the package; None where none or more than one does."""
    serving = ("owner", "maintenance", "detached", "starting", "stopping")
    owners = [node for node, view in observed.items() if view and view["owner"] == node and view["state"] in serving]
    return owners[0] if len(owners) == 1 else None


def find_speaker(overview, name):
    """Node whose agent takes commands for the package: the owner, else the first that answers."""
    package = overview["packages"].get(name)
    if package is None:
        return ""
    answering = [node for node in package["document"]["nodes"] if package["observed"].get(node)]
    return package["owner"] or (answering[0] if answering else "")


def order_idle_first(overview, nodes):
    """I(nodes) with those that own no package in front."""
    owners = {package["owner"] for package in overview["packages"].values()}
    return sorted(nodes, key=lambda node: node in owners)


def find_obstacles(overview, name, target, without_poolers=False):
    """Why a move to I(target) would fail, one sentence each; the agents check more when the command is given."""
    package = overview["packages"].get(name)
    if package is None:
        return [f"No node that answers has a package {name}."]
    problems = []
    if target not in package["document"]["nodes"]:
        problems.append(f"{target} is not in the nodes of {name}.")
    elif not package["observed"].get(target):
        problems.append(f"The agent of {target} does not answer.")
    elif package["observed"][target]["state"] in ("ejected", "failed", "maintenance", "detached"):
        view = package["observed"][target]
        problems.append(f"{target} says of {name}: {view['state']} ({view['reason']}).")
    problems += [
        f"Pooler {host} could not be paused: {pooler['reason']}."
        for host, pooler in sorted(_poolers(package).items())
        if not pooler["ready"] and not without_poolers
    ]
    if not package["same_everywhere"]:
        problems.append(f"The nodes have different definitions of {name}; run deploy_packages.yml first.")
    return problems


def _poolers(package):
    """What the owner last heard from the package's poolers, by host."""
    view = package["observed"].get(package["owner"]) or {}
    return view.get("poolers", {})


def render_table(overview):
    """Lines of a table, one package each; what only a person can settle stands in the reason."""
    rows = [_COLUMNS, *(_row(name, package) for name, package in sorted(overview["packages"].items()))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS) - 1)]
    return ["  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[-1]]).rstrip() for row in rows]


def render_preview(preview):
    """Lines of an agent's preview of a move: its checks, then its steps, each with the time that it took the last time."""
    checks = [f"{'ok' if check['ok'] else 'NO'}  {check['name']}: {check['detail']}" for check in preview["checks"]]
    steps = [
        f"{step['node']}  {step['what']}" + (f"  {step['last_seconds']:.2f} s" if step["last_seconds"] is not None else "")
        for step in preview["steps"]
    ]
    return checks + steps


def _row(name, package):
    view = package["observed"].get(package["owner"]) or next((v for v in package["observed"].values() if v), None)
    if view is None:
        return (name, "unknown", "-", "-", "-", "no agent answers")
    addresses = ", ".join(address for address, up in view["address"].items() if up) or "-"
    return (name, view["state"], package["owner"] or "-", view["since"], addresses, view["reason"])
