"""Virtual routers: one keepalived instance per package, interface and node, each with an id of its own in the cluster.

The two ends of a package use different virtual router ids on purpose. VRRP's own election lets
the node with the higher priority or address win, and a node that was frozen and thaws still
believes that it is master. Ownership of the storage decides here, so no advertisement of another
node may take the address away: with an id of its own per node, keepalived drops them as unknown.
Two packages never share an id either: keepalived would compare their addresses, refuse each advertisement and log it.
"""

from __future__ import annotations

from typing import Any

from .address_rules import parse_virtual_address, source_address
from .inventory import Inventory
from .problems import Problem

#: Virtual router ids are 1 to 255 (RFC 5798, 5.2.3).
_ROUTER_IDS = 255


def _groups(package: dict[str, Any]) -> dict[str, list[str]]:
    """Addresses of a package by interface, in the order of the definition."""
    groups: dict[str, list[str]] = {}
    for item in package["virtual_addresses"]:
        groups.setdefault(item["interface"], []).append(item["address"])
    return groups


def _preferred_id(address: str, node_id: int) -> int:
    """The id that follows from the address and the node alone."""
    virtual = parse_virtual_address(address)
    if virtual is None:
        raise ValueError(f"{address!r} is not an address with a prefix length")
    return (int(virtual.ip) + node_id) % _ROUTER_IDS + 1


def assign_router_ids(packages: list[dict[str, Any]], cluster: dict[str, Any]) -> dict[tuple[str, str, str], int]:
    """Virtual router ids by package, interface and node; no two are the same.

    Each router has the id that follows from its address and node, or where an earlier one has that, the highest free one:
    addresses of packages are neighbours, and their ids as well. A package that is added at the end changes no id.
    """
    assigned: dict[tuple[str, str, str], int] = {}
    free = set(range(1, _ROUTER_IDS + 1))
    for package in packages:
        for interface, addresses in _groups(package).items():
            for node in cluster["nodes"]:
                if node["name"] in package["nodes"]:
                    wanted = _preferred_id(addresses[0], node["id"])
                    chosen = wanted if wanted in free else max(free)
                    free.remove(chosen)
                    assigned[package["name"], interface, node["name"]] = chosen
    return assigned


def check_virtual_routers(packages: list[dict[str, Any]]) -> list[Problem]:
    """Packages that need more virtual router ids than the ones before them have left."""
    problems: list[Problem] = []
    left = _ROUTER_IDS
    for index, package in enumerate(packages):
        interfaces = {(item or {}).get("interface") for item in (package or {}).get("virtual_addresses") or []}
        needed = len(interfaces) * len((package or {}).get("nodes") or [])
        if needed > left:
            needs = f"needs {needed} virtual router ids, one for each interface and node; {left} of {_ROUTER_IDS} are left"
            problems.append(Problem(f"holdfast_packages[{index}].virtual_addresses", needs))
        else:
            left -= needed
    return problems


def build_virtual_routers(
    packages: list[dict[str, Any]], cluster: dict[str, Any], inventory: Inventory
) -> dict[str, list[dict[str, Any]]]:
    """The virtual routers of every node, by the node's name."""
    ids = assign_router_ids(packages, cluster)
    return {
        node["name"]: [
            router
            for package in packages
            if node["name"] in package["nodes"]
            for router in _build_routers(package, node["name"], ids, inventory)
        ]
        for node in cluster["nodes"]
    }


def _build_routers(
    package: dict[str, Any], name: str, ids: dict[tuple[str, str, str], int], inventory: Inventory
) -> list[dict[str, Any]]:
    routers = []
    for position, (interface, addresses) in enumerate(_groups(package).items()):
        virtual = parse_virtual_address(addresses[0])
        sources = {node: source_address(inventory.hosts[node], virtual) for node in package["nodes"] if virtual}
        routers.append(
            {
                "name": package["name"] if position == 0 else f"{package['name']}.{interface}",
                "package": package["name"],
                "interface": inventory.hosts[name].interfaces.get(interface, interface),
                "router_id": ids[package["name"], interface, name],
                "addresses": addresses,
                "source": sources[name],
                "peers": [sources[node] for node in package["nodes"] if node != name],
            }
        )
    return routers
