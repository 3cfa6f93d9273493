"""The files that the package role writes, read into values; the agent reads nothing else.

/etc/holdfast/node.json and /etc/holdfast/packages/*.json, schema 1. A file of another shape is refused with its path.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ConfigurationError
from .storage.targets import LunName
from .volume.activation import FileSystem

CONFIGURATION_DIRECTORY = Path("/etc/holdfast")
SCHEMA = 1


@dataclass(frozen=True)
class PeerNode:
    """A node of the cluster: id and addresses by network."""

    name: str
    id: int
    addresses: Mapping[str, str]


@dataclass(frozen=True)
class NodeConfig:
    """What node.json says."""

    cluster: str
    node: str
    node_id: int
    nodes: Mapping[str, PeerNode]
    heartbeat_networks: tuple[str, ...]
    witness: tuple[str, ...]
    profile: str
    watchdog: str

    @property
    def peers(self) -> tuple[PeerNode, ...]:
        """Every node but this one."""
        return tuple(peer for peer in self.nodes.values() if peer.name != self.node)


@dataclass(frozen=True)
class VirtualAddress:
    """An address with its prefix length and the interface that carries it."""

    address: str
    interface: str


@dataclass(frozen=True)
class Resource:
    """One resource of a package; ``settings`` are the keys of its type."""

    package: str
    name: str
    type: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Pooler:
    """A pooler that stays while the package moves: its host, where its gate listens, and how long it pauses and holds."""

    host: str
    address: str
    control_port: int
    pause_seconds: float
    hold_seconds: float


@dataclass(frozen=True)
class PackageDefinition:
    """What a package's file says."""

    name: str
    nodes: tuple[str, ...]
    failback: str
    auto_start: bool
    addresses: tuple[VirtualAddress, ...]
    lock_lun: LunName
    luns: tuple[LunName, ...]
    volume_group: str
    file_systems: tuple[FileSystem, ...]
    resources: tuple[Resource, ...]
    poolers: tuple[Pooler, ...] = ()


def load_node(directory: Path = CONFIGURATION_DIRECTORY) -> NodeConfig:
    """Read node.json; raises ConfigurationError."""
    path = directory / "node.json"
    data = _load(path)
    try:
        nodes = {
            name: PeerNode(name, int(node["id"]), dict(node["addresses"])) for name, node in data["nodes"].items()
        }
        return NodeConfig(
            cluster=data["cluster"], node=data["node"], node_id=int(data["node_id"]), nodes=nodes,
            heartbeat_networks=tuple(data["heartbeat_networks"]), witness=tuple(data["witness"]),
            profile=data["profile"], watchdog=data["watchdog"],
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{path}: {_explain(error)}", path=str(path)) from error


def load_packages(directory: Path = CONFIGURATION_DIRECTORY) -> tuple[PackageDefinition, ...]:
    """Read every package file, in order of name; raises ConfigurationError."""
    return tuple(load_package(path) for path in sorted((directory / "packages").glob("*.json")))


def load_package(path: Path) -> PackageDefinition:
    """Read one package file."""
    data = _load(path)
    try:
        return _package(data)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{path}: {_explain(error)}", path=str(path)) from error


def _package(data: dict[str, Any]) -> PackageDefinition:
    storage = data["storage"]
    return PackageDefinition(
        name=data["name"],
        nodes=tuple(data["nodes"]),
        failback=data["failback"],
        auto_start=bool(data["auto_start"]),
        addresses=tuple(VirtualAddress(a["address"], a["interface"]) for a in data["virtual_addresses"]),
        lock_lun=LunName(storage["lock_lun"]["name"], storage["lock_lun"]["wwid"]),
        luns=tuple(LunName(lun["name"], lun["wwid"]) for lun in storage["luns"]),
        volume_group=storage["volume_group"],
        file_systems=tuple(
            FileSystem(f["volume"], f["fstype"], f["path"].rstrip("/"), f.get("options", ""))
            for f in storage["filesystems"]
        ),
        resources=tuple(
            Resource(data["name"], r["name"], r["type"], {k: v for k, v in r.items() if k not in ("name", "type")})
            for r in data["resources"]
        ),
        poolers=tuple(_pooler(p) for p in data.get("poolers", [])),
    )


def _pooler(data: dict[str, Any]) -> Pooler:
    seconds = float(data["pause_seconds"]), float(data["hold_seconds"])
    return Pooler(data["host"], data["address"], int(data["control_port"]), *seconds)


def _load(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error}", path=str(path)) from error
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise ConfigurationError(f"{path}: schema {SCHEMA} expected", path=str(path))
    return data


def _explain(error: Exception) -> str:
    return f"key {error} is missing" if isinstance(error, KeyError) else str(error)
