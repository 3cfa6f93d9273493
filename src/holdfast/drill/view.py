"""The cluster as a drill sees it: one frozen value, built once from the inventory and the nodes' own definitions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.drill.errors import DrillError


@dataclass(frozen=True)
class Host:
    """A host of the inventory: its addresses by network, and the variables that say how to reach it."""

    name: str
    addresses: Mapping[str, str]
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ClusterView:
    """Who is there, and the definition of the package as the agents read it."""

    cluster: str
    hosts: Mapping[str, Host]
    nodes: tuple[str, ...]
    node_ids: Mapping[str, int]
    array: tuple[str, ...]
    clients: tuple[str, ...]
    package: Mapping[str, Any]
    heartbeat_networks: tuple[str, ...]
    storage_networks: tuple[str, ...]
    digest: str = ""
    production: bool = False
    identity: str = ""
    """Name of this very cluster, for files: other clusters may be called the same."""

    @property
    def name(self) -> str:
        return str(self.package["name"])

    @property
    def addresses(self) -> tuple[str, ...]:
        """The package's virtual addresses, without prefix length."""
        return tuple(entry["address"].split("/")[0] for entry in self.package["virtual_addresses"])

    @property
    def client_network(self) -> str:
        """The network of the first virtual address, by the interface's name or by the subnet of the addresses."""
        interface = str(self.package["virtual_addresses"][0]["interface"])
        networks = self.hosts[self.nodes[0]].addresses
        if interface in networks:
            return interface
        virtual = self.addresses[0].rsplit(".", 1)[0]
        same = [name for name, address in networks.items() if address.rsplit(".", 1)[0] == virtual]
        if not same:
            raise DrillError(f"no network of {self.nodes[0]} matches the virtual address {self.addresses[0]}")
        return same[0]

    @property
    def database(self) -> Mapping[str, Any] | None:
        """The first resource with a port and a data directory."""
        return next((r for r in self.package["resources"] if "data_directory" in r), None)

    @property
    def poolers(self) -> tuple[Mapping[str, Any], ...]:
        """The package's poolers, in the order of the definition."""
        return tuple(self.package.get("poolers", ()))

    def resource_types(self) -> frozenset[str]:
        return frozenset(str(r["type"]) for r in self.package["resources"])


def build_view(inventory: Mapping[str, Any], node: Mapping[str, Any], package: Mapping[str, Any], digest: str) -> ClusterView:
    """From ``ansible-inventory --list``, a node's node.json and its package document."""
    variables = inventory.get("_meta", {}).get("hostvars", {})
    groups = {group: tuple(_members(inventory, group)) for group in ("array", "cluster_nodes", "clients")}
    names = [name for members in groups.values() for name in members]
    hosts = {n: Host(n, variables.get(n, {}).get("holdfast_addresses", {}), variables.get(n, {})) for n in names}
    nodes = tuple(n for n in package["nodes"] if n in hosts)
    if not nodes:
        raise DrillError(f"the inventory has none of the package's nodes {', '.join(package['nodes'])}")
    return ClusterView(
        cluster=str(node["cluster"]),
        hosts=hosts,
        nodes=nodes,
        node_ids={n: int(node["nodes"][n]["id"]) for n in nodes},
        array=groups["array"],
        clients=groups["clients"],
        package=package,
        heartbeat_networks=tuple(node.get("heartbeat_networks", ())),
        storage_networks=_shared_networks(hosts, groups["array"], nodes, node),
        digest=digest,
        production=any(bool(v.get("holdfast_production")) for v in variables.values()),
        identity=_identity(node, {str(v["lab_name"]) for v in variables.values() if "lab_name" in v}),
    )


def _identity(node: Mapping[str, Any], labs: set[str]) -> str:
    """The same for every inventory and package that leads to these nodes; two labs have all but the lab in common."""
    members = {name: sorted(dict(member["addresses"]).values()) for name, member in node["nodes"].items()}
    text = json.dumps([node["cluster"], members, sorted(labs)], sort_keys=True)
    return f"{node['cluster']}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _members(inventory: Mapping[str, Any], group: str) -> list[str]:
    entry = inventory.get(group, {})
    found = list(entry.get("hosts", []))
    for child in entry.get("children", []):
        found += _members(inventory, child)
    return found


def _shared_networks(
    hosts: Mapping[str, Host], array: tuple[str, ...], nodes: tuple[str, ...], node: Mapping[str, Any]
) -> tuple[str, ...]:
    """Those that the site names; else those that array and nodes share and that are neither heartbeat nor mgmt."""
    if not array:
        return ()
    common = [n for n in hosts[array[0]].addresses if n in hosts[nodes[0]].addresses]
    named = hosts[nodes[0]].variables.get("holdfast_cluster", {}).get("storage_networks")
    if named is not None:
        return tuple(n for n in named if n in common)
    return tuple(n for n in common if n not in (*node.get("heartbeat_networks", ()), "mgmt"))
