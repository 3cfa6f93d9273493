"""The catalogue of fault kinds a runbook may ask for.

Pure data (``faults.yml``): the driver never imports the module that injects them, it only sends it these names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from holdfast.drill.runbook.schema import Choice, Field, Flag, ListOf, Number, Type

ROLES = ("owner", "standby", "any_standby", "array", "client")
NETWORKS = ("client", "heartbeat", "storage_first", "storage_second", "storage", "between_nodes")
PROCESSES = ("database", "database_backend", "agent", "keepalived", "multipathd", "iscsid")

# What a parameter's `type` in faults.yml means.
PARAMETER_TYPES: Mapping[str, Type] = {
    "network": Choice(NETWORKS),
    "process": Choice(PROCESSES),
    "roles": ListOf(Choice(ROLES)),
    "direction": Choice(("both", "in", "out")),
    "place": Choice(("data", "var")),
    "number": Number(),
    "signed_number": Number(minimum=-1e9),
    "flag": Flag(),
}


@dataclass(frozen=True)
class FaultKind:
    """What one kind of fault does, how it is proven and undone, and what may be asked of it."""

    name: str
    summary: str
    layer: str
    targets: tuple[str, ...]
    proof: str
    heal: str
    takes_node_down: bool = False
    on_shared_disks: bool = False
    parameters: tuple[Field, ...] = field(default_factory=tuple)

    def with_defaults(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters with what was left out; one without a default stays out."""
        defaults = {p.name: p.default for p in self.parameters if p.default is not None}
        return {**defaults, **given}


@cache
def load_fault_kinds() -> Mapping[str, FaultKind]:
    """All kinds by name, in the order of the file."""
    raw = yaml.safe_load(Path(__file__).with_name("faults.yml").read_text())
    return {name: _build_kind(name, entry) for name, entry in raw.items()}


def _build_kind(name: str, entry: dict[str, Any]) -> FaultKind:
    parameters = tuple(
        Field(key, PARAMETER_TYPES[p["type"]], p["doc"], p.get("required", False), p.get("default"))
        for key, p in entry.pop("parameters", {}).items()
    )
    return FaultKind(name, parameters=parameters, targets=tuple(entry.pop("targets")), **entry)
