"""What the rules need to know about the hosts of the inventory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .problems import Problem, find_duplicates
from .schema import Spec
from .shape import check_shape

_ADDRESSES: Spec = {"type": "dict"}


@dataclass(frozen=True)
class Host:
    """One host: its address on every network, and what its interfaces are called; of an array that was asked, what it holds."""

    name: str
    addresses: Mapping[str, str] = field(default_factory=dict)
    interfaces: Mapping[str, str] = field(default_factory=dict)
    capacity: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Inventory:
    """All hosts, which of them are arrays, and the secrets by name (an undefined one is None or empty)."""

    hosts: Mapping[str, Host]
    arrays: tuple[str, ...] = ()
    secrets: Mapping[str, str | None] = field(default_factory=dict)


def build_host(name: str, variables: Mapping[str, Any]) -> tuple[Host, list[Problem]]:
    """A host from its inventory variables, and what is wrong with their form."""
    values, problems = {}, []
    for key in ("holdfast_addresses", "holdfast_interfaces"):
        checked, found = check_shape(variables.get(key) or {}, _ADDRESSES, f"{name}.{key}")
        values[key] = checked or {}
        problems += found
    host = Host(
        name=name,
        addresses=values["holdfast_addresses"],
        interfaces=values["holdfast_interfaces"],
        capacity=variables.get("iscsi_target_capacity"),
    )
    return host, problems


def check_inventory(inventory: Inventory) -> list[Problem]:
    """Duplicate addresses, and secrets without a value."""
    hosts = inventory.hosts.values()
    problems = find_duplicates(
        ((f"{host.name}.holdfast_addresses.{network}", address) for host in hosts for network, address in host.addresses.items()),
        "address",
    )
    problems += [
        Problem(name, "secret has no value; put it into the vault of this inventory")
        for name, value in inventory.secrets.items()
        if not value
    ]
    return problems
