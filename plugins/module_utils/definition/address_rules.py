"""Rules about virtual addresses."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any, TypeAlias

from .cluster_rules import parse_address
from .inventory import Host, Inventory
from .problems import Problem, find_duplicates

Interface: TypeAlias = "ipaddress.IPv4Interface | ipaddress.IPv6Interface"


def parse_virtual_address(text: str | None) -> Interface | None:
    """An address with its prefix length, or None where the text is not one."""
    if not text or "/" not in text:
        return None
    try:
        return ipaddress.ip_interface(text)
    except ValueError:
        return None


def source_address(host: Host, virtual: Interface) -> str | None:
    """The host's own address in the virtual address's network: where its advertisements come from."""
    for address in host.addresses.values():
        own = parse_address(address)
        if own is not None and own in virtual.network:
            return str(own)
    return None


def check_addresses(packages: list[dict[str, Any]], cluster: dict[str, Any], inventory: Inventory) -> list[Problem]:
    """Malformed addresses, addresses that somebody else has, nodes that cannot carry them."""
    taken = {str(address): host.name for host in inventory.hosts.values() for address in host.addresses.values()}
    taken.update({str(witness): "the witness" for witness in cluster.get("witness") or []})
    problems: list[Problem] = []
    located: list[tuple[str, object]] = []
    for index, package in enumerate(packages):
        hosts = [inventory.hosts[name] for name in (package or {}).get("nodes") or [] if name in inventory.hosts]
        for position, item in enumerate((package or {}).get("virtual_addresses") or []):
            path = f"holdfast_packages[{index}].virtual_addresses[{position}].address"
            text = (item or {}).get("address")
            virtual = parse_virtual_address(text)
            if virtual is not None:
                located.append((path, str(virtual.ip)))
                problems += _check_address(path, virtual, taken, hosts)
            elif text:
                problems.append(Problem(path, f"{text!r} is not an address with a prefix length, such as 10.20.0.50/24"))
    return problems + find_duplicates(located, "virtual address")


def _check_address(path: str, virtual: Interface, taken: dict[str, str], hosts: list[Host]) -> Iterator[Problem]:
    network = virtual.network
    if str(virtual.ip) in taken:
        yield Problem(path, f"{virtual.ip} belongs to {taken[str(virtual.ip)]}")
    if network.num_addresses > 2 and virtual.ip in (network.network_address, network.broadcast_address):
        yield Problem(path, f"{virtual.ip} is the network or broadcast address of {network}")
    for host in hosts:
        if source_address(host, virtual) is None:
            yield Problem(path, f"{host.name} has no address of its own in {network}")
