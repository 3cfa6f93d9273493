"""Rules about the cluster itself: members, networks, witness."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from .inventory import Inventory
from .problems import Problem, find_duplicates

_ROOT = "holdfast_cluster"
#: Below two nodes there is nothing to take over.
_SMALLEST_CLUSTER = 2


def check_cluster(cluster: dict[str, Any], inventory: Inventory) -> list[Problem]:
    """Everything that is wrong with the cluster, its members' addresses and its witness."""
    problems = _check_members(cluster, inventory)
    problems += _check_networks(cluster, inventory)
    problems += _check_witness(cluster, inventory)
    return problems


def member_names(cluster: dict[str, Any]) -> list[str]:
    """Names of the nodes, leaving out entries that have none."""
    return [node["name"] for node in cluster.get("nodes") or [] if node and node.get("name")]


def parse_address(text: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address, or None where the text is not one."""
    try:
        return ipaddress.ip_address(str(text))
    except ValueError:
        return None


def _check_members(cluster: dict[str, Any], inventory: Inventory) -> list[Problem]:
    nodes = [(f"{_ROOT}.nodes[{index}]", node or {}) for index, node in enumerate(cluster.get("nodes") or [])]
    problems = find_duplicates(((f"{path}.name", node["name"]) for path, node in nodes if node.get("name")), "node")
    problems += find_duplicates(((f"{path}.id", node["id"]) for path, node in nodes if node.get("id")), "node id")
    problems += [
        Problem(f"{path}.name", f"{node['name']} is not a host of the inventory")
        for path, node in nodes
        if node.get("name") and node["name"] not in inventory.hosts
    ]
    if 0 < len(nodes) < _SMALLEST_CLUSTER:
        problems.append(Problem(f"{_ROOT}.nodes", "a cluster needs at least two nodes"))
    return problems


def _check_networks(cluster: dict[str, Any], inventory: Inventory) -> list[Problem]:
    problems: list[Problem] = []
    for key in ("heartbeat_networks", "storage_networks"):
        networks = [(f"{_ROOT}.{key}[{index}]", name) for index, name in enumerate(cluster.get(key) or [])]
        problems += find_duplicates(((path, name) for path, name in networks if name), "network")
        for path, network in networks:
            problems += _check_members_address(path, network, cluster, inventory)
    return problems


def _check_members_address(path: str, network: str | None, cluster: dict[str, Any], inventory: Inventory) -> Iterator[Problem]:
    for name in member_names(cluster):
        host = inventory.hosts.get(name)
        if host is None or network is None:
            continue
        if network not in host.addresses:
            yield Problem(path, f"{name} has no address on network {network} (holdfast_addresses)")
        elif parse_address(host.addresses[network]) is None:
            yield Problem(f"{name}.holdfast_addresses.{network}", f"{host.addresses[network]!r} is not an address")


def _check_witness(cluster: dict[str, Any], inventory: Inventory) -> list[Problem]:
    members = set(member_names(cluster))
    taken = {
        str(address): host.name
        for host in inventory.hosts.values()
        if host.name in members
        for address in host.addresses.values()
    }
    problems = []
    for index, witness in enumerate(cluster.get("witness") or []):
        path = f"{_ROOT}.witness[{index}]"
        if parse_address(witness) is None:
            problems.append(Problem(path, f"{witness!r} is not an address"))
        elif witness in taken:
            problems.append(Problem(path, f"{witness} belongs to {taken[witness]}; a witness stands outside the cluster"))
    return problems
