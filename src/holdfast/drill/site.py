"""From an inventory to everything a drill needs to reach."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.drill.errors import DrillError, HostUnreachable, Refused
from holdfast.drill.hosts import SshShell, read_inventory
from holdfast.drill.view import ClusterView, build_view

DEFINITIONS = "/etc/holdfast/packages"


@dataclass(frozen=True)
class Site:
    """An inventory, the way to its hosts, and the package a drill is about."""

    inventory: Path
    variables: dict[str, dict[str, Any]]
    shell: SshShell
    view: ClusterView


def open_site(project: Path, inventory: Path, package: str | None) -> Site:
    """Read the inventory, and the definitions from the nodes."""
    listing = read_inventory(inventory, project)
    variables = listing.get("_meta", {}).get("hostvars", {})
    shell = SshShell(variables)
    nodes = listing.get("cluster_nodes", {}).get("hosts", [])
    if not nodes:
        raise DrillError(f"the inventory {inventory} has no group cluster_nodes")
    node, documents = _read_definitions(shell, nodes, package)
    name = choose_package(sorted(documents), package)
    digest = hashlib.sha256(documents[name].encode()).hexdigest()
    return Site(inventory, variables, shell, build_view(listing, node, json.loads(documents[name]), digest))


def choose_package(names: list[str], wanted: str | None) -> str:
    """The package named, or the only one there is."""
    if wanted in names or (wanted is None and len(names) == 1):
        return wanted or names[0]
    known = ", ".join(names) or "none"
    raise DrillError(f"no package {wanted!r}; there are: {known}" if wanted else f"say which package: {known}")


def _read_definitions(shell: SshShell, nodes: list[str], wanted: str | None) -> tuple[dict[str, Any], dict[str, str]]:
    """A node's own document, and the packages: each node has those that it may own. Where one is wanted it is enough."""
    node: dict[str, Any] = {}
    documents: dict[str, str] = {}
    reasons = []
    for host in nodes:
        if wanted in documents:
            break
        try:
            node = node or json.loads(shell.succeed(host, ["cat", "/etc/holdfast/node.json"]))
            names = [name.removesuffix(".json") for name in shell.succeed(host, ["ls", DEFINITIONS]).split()]
            unread = [name for name in names if name not in documents]
            documents |= {name: shell.succeed(host, ["cat", f"{DEFINITIONS}/{name}.json"]) for name in unread}
        except DrillError as error:
            reasons.append(str(error))
    if not node:
        raise DrillError(f"no node gave its definition: {'; '.join(reasons)}")
    return node, documents


def find_owner(site: Site) -> str:
    """The node that owns the package now, by the agents' own word."""
    found = []
    for node in site.view.nodes:
        try:
            status = site.shell.run(node, ["holdfastctl", "status", "--json"])
        except HostUnreachable as error:
            raise Refused(f"a drill begins with all nodes up: {error}") from error
        if status.code:
            raise Refused(f"{node}: no agent answers: {status.stderr.strip()[-200:]}")
        if status.json()["packages"].get(site.view.name, {}).get("state") == "owner":
            found.append(node)
    if len(found) != 1:
        raise Refused(f"package {site.view.name} has {len(found)} owners: {', '.join(found) or 'nobody'}")
    return found[0]
