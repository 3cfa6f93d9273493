"""Virtual routers: one keepalived instance per package, interface and node.

The two ends of a package use different virtual router ids on purpose. VRRP's own election lets
the node with the higher priority or address win, and a node that was frozen and thaws still
believes that it is master. Ownership of the storage decides here, so no advertisement of another
node may take the address away: with an id of its own per node, keepalived drops them as unknown.
"""

from __future__ import annotations

from typing import Any

from .address_rules import parse_virtual_address, source_address
from .inventory import Inventory
from .problems import Problem, find_duplicates

#: Virtual router ids are 1 to 255 (RFC 5798, 5.2.3).
_ROUTER_IDS = 255


def router_id(address: str, node_id: int) -> int:
    """Id of the virtual router that carries *address* on a node.

    Two addresses of one /24 never share an id on a node, and one address never has the same id on two nodes.
    """
    virtual = parse_virtual_address(address)
    if virtual is None:
        raise ValueError(f"{address!r} is not an address with a prefix length")
    return (int(virtual.ip) + node_id) % _ROUTER_IDS + 1


def _groups(package: dict[str, Any]) -> dict[str, list[str]]:
    """Addresses of a package by interface, in the order of the definition."""
    groups: dict[str, list[str]] = {}
    for item in package["virtual_addresses"]:
        groups.setdefault(item["interface"], []).append(item["address"])
    return groups


def check_virtual_routers(packages: list[dict[str, Any]], cluster: dict[str, Any]) -> list[Problem]:
    """Two packages whose virtual routers would have the same id on the same interface of a node."""
    problems: list[Problem] = []
    for node in cluster["nodes"]:
        located = [
            (f"holdfast_packages[{index}].virtual_addresses", (interface, router_id(addresses[0], node["id"])))
            for index, package in enumerate(packages)
            if node["name"] in package["nodes"]
            for interface, addresses in _groups(package).items()
        ]
        problems += find_duplicates(located, f"on {node['name']}: virtual router")
    return sorted(set(problems))


def build_virtual_routers(
    packages: list[dict[str, Any]], cluster: dict[str, Any], inventory: Inventory
) -> dict[str, list[dict[str, Any]]]:
    """The virtual routers of every node, by the node's name."""
    ids = {node["name"]: node["id"] for node in cluster["nodes"]}
    return {
        name: [
            router
            for package in packages
            if name in package["nodes"]
            for router in _build_routers(package, name, ids[name], inventory)
        ]
        for name in ids
    }


def _build_routers(package: dict[str, Any], name: str, node_id: int, inventory: Inventory) -> list[dict[str, Any]]:
    routers = []
    for position, (interface, addresses) in enumerate(_groups(package).items()):
        virtual = parse_virtual_address(addresses[0])
        sources = {node: source_address(inventory.hosts[node], virtual) for node in package["nodes"] if virtual}
        routers.append(
            {
                "name": package["name"] if position == 0 else f"{package['name']}.{interface}",
                "package": package["name"],
                "interface": inventory.hosts[name].interfaces.get(interface, interface),
                "router_id": router_id(addresses[0], node_id),
                "addresses": addresses,
                "source": sources[name],
                "peers": [sources[node] for node in package["nodes"] if node != name],
            }
        )
    return routers
