"""A lab's topology: which machines, on which networks, with which memory and disks.

Read from YAML, checked in full (every error at once, each with its place), then frozen.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from holdfast.lab.errors import UsageError

SYSTEMS = {"debian12": "bookworm", "debian13": "trixie"}
ROLES = ("array", "node", "client")
MANAGEMENT = "mgmt"
DEFAULT_MEMORY_MIB = 512
MINIMUM_MEMORY_MIB = 256      # Debian 13 with systemd, sshd and Python boots in 256 MiB; below that it does not
MAXIMUM_CLUSTER_NODES = 8
MAXIMUM_DISKS = 8             # ubd has 16 units; root, package pool and seed take three of them
NAME = re.compile(r"[a-z][a-z0-9-]{0,14}\Z")     # host name (RFC 1123) that also fits where 15 characters are the limit
NETWORK_NAME = re.compile(r"[a-z][a-z0-9_]{0,14}\Z")   # becomes an interface name: IFNAMSIZ - 1 = 15
PACKAGE_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+\Z")   # Debian Policy, section 5.6.1
KERNEL_NAME = re.compile(r"(lo|vec\d+|eth\d+)\Z")      # what interfaces are called before they get their network's name


@dataclass(frozen=True)
class Network:
    """One layer-2 network of the lab; `gateway` is the address of the lab's own bridge on it, if it has one."""

    name: str
    subnet: ipaddress.IPv4Network
    gateway: ipaddress.IPv4Interface | None = None

    def address(self, host: int) -> ipaddress.IPv4Interface:
        return ipaddress.IPv4Interface((self.subnet.network_address + host, self.subnet.prefixlen))


@dataclass(frozen=True)
class Disk:
    """An empty disk of a machine, beside its system disk."""

    name: str
    size_gib: int


@dataclass(frozen=True)
class Machine:
    """One machine of the lab. `index` is its place in the topology and makes its MAC addresses."""

    name: str
    role: str
    index: int
    host: int
    networks: tuple[str, ...]
    memory_mib: int = DEFAULT_MEMORY_MIB
    disks: tuple[Disk, ...] = ()


@dataclass(frozen=True)
class Topology:
    """A checked topology. `packages` are Debian packages that its nodes can install beyond those that every lab offers."""

    system: str
    networks: tuple[Network, ...]
    machines: tuple[Machine, ...]
    source: str = field(default="", compare=False)
    packages: tuple[str, ...] = ()

    @property
    def release(self) -> str:
        return SYSTEMS[self.system]

    @property
    def memory_mib(self) -> int:
        return sum(machine.memory_mib for machine in self.machines)

    def network(self, name: str) -> Network:
        return next(network for network in self.networks if network.name == name)

    def machine(self, name: str) -> Machine:
        for machine in self.machines:
            if machine.name == name:
                return machine
        known = ", ".join(machine.name for machine in self.machines)
        raise UsageError(f"there is no node '{name}' in this lab; it has {known}")

    def addresses(self, machine: Machine) -> dict[str, ipaddress.IPv4Interface]:
        return {name: self.network(name).address(machine.host) for name in machine.networks}

    def mac(self, machine: Machine, network: str) -> str:
        """A locally administered MAC (IEEE 802: second-lowest bit of the first byte set)."""
        place = next(i for i, known in enumerate(self.networks) if known.name == network)
        return f"02:48:46:00:{machine.index:02x}:{place:02x}"

    def with_system(self, system: str) -> Topology:
        return replace(self, system=system)

    def with_cluster_nodes(self, count: int) -> Topology:
        """The same topology with `count` cluster nodes, copied from its first one (used by `--nodes`)."""
        if not 1 <= count <= MAXIMUM_CLUSTER_NODES:
            raise UsageError(f"--nodes {count}: a lab has 1 to {MAXIMUM_CLUSTER_NODES} cluster nodes")
        pattern = next((machine for machine in self.machines if machine.role == "node"), None)
        if pattern is None:
            raise UsageError(f"--nodes {count}: the topology {self.source} has no cluster node to copy")
        others = [machine for machine in self.machines if machine.role != "node"]
        nodes = [replace(pattern, name=f"node{i}", host=pattern.host + i - 1) for i in range(1, count + 1)]
        ordered = [m for m in others if m.role == "array"] + nodes + [m for m in others if m.role == "client"]
        changed = replace(self, machines=tuple(replace(machine, index=i) for i, machine in enumerate(ordered)))
        if problems := parse_topology(to_data(changed))[1]:
            raise UsageError(f"--nodes {count}: this does not fit into the topology {self.source}\n  " + "\n  ".join(problems))
        return changed


def builtin_topologies() -> dict[str, Path]:
    return {path.stem: path for path in sorted((Path(__file__).parent / "topologies").glob("*.yml"))}


def load_topology(name_or_path: str) -> Topology:
    """Read a topology by its built-in name or from a file; UsageError lists everything that is wrong with it."""
    path = builtin_topologies().get(name_or_path) or Path(name_or_path)
    try:
        text = path.read_text()
    except OSError as error:
        known = ", ".join(builtin_topologies())
        raise UsageError(f"topology '{name_or_path}': {error.strerror}; known by name: {known}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"topology {path}: this is not YAML: it is not text in UTF-8") from error
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"topology {path}: this is not YAML: {' '.join(str(error).split())}") from error
    topology, problems = parse_topology(raw, str(path))
    if topology is None:
        raise UsageError(f"topology {path}: {len(problems)} error{'s' * (len(problems) > 1)}\n  " + "\n  ".join(problems))
    return topology


def parse_topology(raw: Any, source: str = "") -> tuple[Topology | None, list[str]]:
    """The topology, or None and all the problems, each with its path in the file."""
    reader = _Reader()
    topology = reader.topology(raw, source)
    return (None if reader.problems else topology), reader.problems


class _Reader:
    """Collects problems while it reads; what it returns counts only when there are none."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def bad(self, place: str, what: str) -> None:
        self.problems.append(f"{place}: {what}")

    def mapping(self, value: Any, place: str, known: tuple[str, ...] | None = None) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.bad(place, f"expected a mapping, found {_kind(value)}")
            return {}
        for key in value:
            if known is not None and key not in known:
                self.bad(f"{place}.{key}", f"unknown key; known are {', '.join(known)}")
        return {str(key): entry for key, entry in value.items()}

    def integer(self, value: Any, place: str, low: int, high: int) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.bad(place, f"expected a whole number from {low} to {high}, found {value!r}")
            return low
        return value

    def topology(self, raw: Any, source: str) -> Topology:
        top = self.mapping(raw, "topology", ("system", "packages", "networks", "nodes"))
        system = top.get("system", "debian13")
        if system not in SYSTEMS:
            self.bad("system", f"'{system}' is not known; known are {', '.join(SYSTEMS)}")
        networks = tuple(self.networks(top.get("networks")))
        machines = tuple(self.machines(top.get("nodes"), networks))
        if top.get("nodes") == {}:
            self.bad("nodes", "a lab needs at least one")
        self.unique_hosts(machines)
        cluster_nodes = sum(machine.role == "node" for machine in machines)
        if cluster_nodes > MAXIMUM_CLUSTER_NODES:
            self.bad("nodes", f"{cluster_nodes} machines with role node; at most {MAXIMUM_CLUSTER_NODES}")
        return Topology(str(system), networks, machines, source, self.packages(top.get("packages", [])))

    def packages(self, raw: Any) -> tuple[str, ...]:
        if not isinstance(raw, list) or not all(isinstance(name, str) and PACKAGE_NAME.match(name) for name in raw):
            self.bad("packages", "expected a list of names of Debian packages")
            return ()
        return tuple(raw)

    def networks(self, raw: Any) -> Iterator[Network]:
        entries = self.mapping(raw, "networks")
        if MANAGEMENT not in entries:
            self.bad("networks", f"'{MANAGEMENT}' is missing: Ansible reaches the nodes through it")
        seen: dict[str, ipaddress.IPv4Network] = {}
        for name, value in entries.items():
            place = f"networks.{name}"
            if not NETWORK_NAME.match(name):
                self.bad(place, "a network's name is 1 to 15 of a-z, 0-9 and _, the first a letter")
            elif KERNEL_NAME.match(name):
                self.bad(place, "this is a name of the kernel's own interfaces; take another")
            entry = self.mapping(value, place, ("subnet", "gateway"))
            try:
                subnet = ipaddress.IPv4Network(entry.get("subnet"))
            except (ValueError, TypeError) as error:
                self.bad(f"{place}.subnet", str(error))
                continue
            for other, taken in seen.items():
                if subnet.overlaps(taken):
                    self.bad(f"{place}.subnet", f"{subnet} overlaps {taken} of networks.{other}")
            seen[name] = subnet
            network = Network(name, subnet)
            gateway = entry.get("gateway", 1 if name == MANAGEMENT else None)
            if gateway is not None:
                gateway = network.address(self.integer(gateway, f"{place}.gateway", 1, subnet.num_addresses - 2))
            yield replace(network, gateway=gateway)

    def machines(self, raw: Any, networks: tuple[Network, ...]) -> Iterator[Machine]:
        for index, (name, value) in enumerate(self.mapping(raw, "nodes").items()):
            place = f"nodes.{name}"
            if not NAME.match(name):
                self.bad(place, "a node's name is 1 to 15 of a-z, 0-9 and -, the first a letter")
            entry = self.mapping(value, place, ("role", "host", "networks", "memory_mib", "disks"))
            if entry.get("role") not in ROLES:
                self.bad(f"{place}.role", f"expected one of {', '.join(ROLES)}, found {entry.get('role')!r}")
            joined = self.joined(entry.get("networks", [network.name for network in networks]), place, networks)
            smallest = min((network.subnet.num_addresses for network in networks), default=256)
            host = self.integer(entry.get("host"), f"{place}.host", 1, smallest - 2)
            for network in networks:
                if network.name in joined and network.gateway and network.address(host) == network.gateway:
                    self.bad(f"{place}.host", f"{host} is the gateway of network {network.name}")
            memory = self.integer(entry.get("memory_mib", DEFAULT_MEMORY_MIB), f"{place}.memory_mib",
                                  MINIMUM_MEMORY_MIB, 65536)
            disks = tuple(self.disks(entry.get("disks", []), place))
            yield Machine(name, str(entry.get("role")), index, host, joined, memory, disks)

    def joined(self, raw: Any, place: str, networks: tuple[Network, ...]) -> tuple[str, ...]:
        if not isinstance(raw, list):
            self.bad(f"{place}.networks", f"expected a list, found {_kind(raw)}")
            return ()
        known = [network.name for network in networks]
        for i, name in enumerate(raw):
            if name not in known:
                self.bad(f"{place}.networks[{i}]", f"there is no network '{name}'; there are {', '.join(known)}")
        if MANAGEMENT not in raw:
            self.bad(f"{place}.networks", f"'{MANAGEMENT}' is missing: Ansible reaches the node through it")
        return tuple(name for name in known if name in raw)

    def disks(self, raw: Any, place: str) -> Iterator[Disk]:
        if not isinstance(raw, list) or len(raw) > MAXIMUM_DISKS:
            self.bad(f"{place}.disks", f"expected a list of at most {MAXIMUM_DISKS} disks")
            return
        names = set()
        for i, value in enumerate(raw):
            entry = self.mapping(value, f"{place}.disks[{i}]", ("name", "size_gib"))
            name = str(entry.get("name"))
            if not NAME.match(name) or name in names:
                self.bad(f"{place}.disks[{i}].name", "a disk needs a name of its own of a-z, 0-9 and -")
            names.add(name)
            yield Disk(name, self.integer(entry.get("size_gib"), f"{place}.disks[{i}].size_gib", 1, 4096))

    def unique_hosts(self, machines: tuple[Machine, ...]) -> None:
        owners: dict[int, str] = {}
        for machine in machines:
            if machine.host in owners:
                self.bad(f"nodes.{machine.name}.host", f"{machine.host} is taken by nodes.{owners[machine.host]}")
            owners.setdefault(machine.host, machine.name)


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def to_data(topology: Topology) -> dict[str, Any]:
    """The topology as the plain data that `parse_topology` reads (kept in the lab's folder)."""
    def network(entry: Network) -> dict[str, Any]:
        data: dict[str, Any] = {"subnet": str(entry.subnet)}
        if entry.gateway:
            data["gateway"] = int(entry.gateway.ip) - int(entry.subnet.network_address)
        return data

    def machine(entry: Machine) -> dict[str, Any]:
        return {"role": entry.role, "host": entry.host, "networks": list(entry.networks), "memory_mib": entry.memory_mib,
                "disks": [{"name": disk.name, "size_gib": disk.size_gib} for disk in entry.disks]}

    return {"system": topology.system, "packages": list(topology.packages),
            "networks": {n.name: network(n) for n in topology.networks},
            "nodes": {m.name: machine(m) for m in topology.machines}}
