"""Rules about poolers, and what the nodes have to know of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .address_rules import parse_virtual_address, source_address
from .cluster_rules import member_names
from .inventory import Host, Inventory
from .problems import Problem, find_duplicates

_PORTS = ("port", "control_port")


def check_poolers(packages: list[dict[str, Any]], cluster: dict[str, Any], inventory: Inventory) -> list[Problem]:
    """Poolers that could not serve or would go down with a node."""
    problems: list[Problem] = []
    ports: list[tuple[str, object]] = []
    for index, package in enumerate(packages):
        poolers = [(f"holdfast_packages[{index}].poolers[{position}]", pooler or {})
                   for position, pooler in enumerate((package or {}).get("poolers") or [])]  # fmt: skip
        problems += _check_database(f"holdfast_packages[{index}].poolers", package or {}) if poolers else []
        problems += find_duplicates([(f"{path}.host", pooler["host"]) for path, pooler in poolers if pooler.get("host")], "host")
        for path, pooler in poolers:
            problems += _check_host(f"{path}.host", pooler.get("host"), package, member_names(cluster), inventory)
            ports += [(f"{path}.{key}", f"{pooler['host']}:{pooler[key]}") for key in _PORTS
                      if pooler.get("host") and pooler.get(key)]  # fmt: skip
    return problems + find_duplicates(ports, "port")


def _check_database(path: str, package: dict[str, Any]) -> Iterator[Problem]:
    if len(_databases(package)) != 1:
        yield Problem(path, "poolers are for packages with exactly one postgresql resource")


def _check_host(
    path: str, name: str | None, package: dict[str, Any], members: list[str], inventory: Inventory
) -> Iterator[Problem]:
    host = inventory.hosts.get(name or "")
    if name in members:
        yield Problem(path, f"{name} is a node of the cluster; a pooler there would go down with it")
    elif name and host is None:
        yield Problem(path, f"{name} is not a host of the inventory")
    elif host is not None and own_address(host, package) is None:
        yield Problem(path, f"{name} has no address in the network of the first virtual address (holdfast_addresses)")


def own_address(host: Host, package: dict[str, Any]) -> str | None:
    """The host's own address in the network of the package's first virtual address."""
    virtual = parse_virtual_address(((package.get("virtual_addresses") or [{}])[0] or {}).get("address"))
    return source_address(host, virtual) if virtual is not None else None


def resolve_poolers(package: dict[str, Any], inventory: Inventory) -> list[dict[str, Any]]:
    """Each pooler with the address that clients of its network and the nodes reach it at."""
    return [{**pooler, "address": own_address(inventory.hosts[pooler["host"]], package)} for pooler in package["poolers"]]


def _databases(package: dict[str, Any]) -> list[dict[str, Any]]:
    return [item["postgresql"] for item in package.get("resources") or [] if (item or {}).get("postgresql")]
