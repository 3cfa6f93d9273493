"""The topology file: what is accepted, and every fault at once with its place."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from holdfast.lab.errors import UsageError
from holdfast.lab.topology import (
    MAXIMUM_CLUSTER_NODES,
    Topology,
    builtin_topologies,
    load_topology,
    parse_topology,
    to_data,
)

GOOD: dict[str, Any] = {
    "networks": {"mgmt": {"subnet": "10.9.0.0/24"}, "client": {"subnet": "10.8.0.0/24", "gateway": 254}},
    "nodes": {"san1": {"role": "array", "host": 5, "disks": [{"name": "luns", "size_gib": 2}]},
              "node1": {"role": "node", "host": 11, "networks": ["client", "mgmt"]}},
}


def problems_with(**changes: Any) -> list[str]:
    """Problems of GOOD after each "a.b.c" was set to its value (None takes the key away)."""
    raw = copy.deepcopy(GOOD)
    for path, value in changes.items():
        *parents, last = path.split("/")
        place = raw
        for key in parents:
            place = place[int(key) if isinstance(place, list) else key]
        if value is None:
            del place[last]
        else:
            place[int(last) if isinstance(place, list) else last] = value
    return parse_topology(raw)[1]


def test_the_default_topology_is_what_the_documents_promise(topology: Topology) -> None:
    assert [(m.name, m.role, m.host) for m in topology.machines] == [
        ("san1", "array", 5), ("node1", "node", 11), ("node2", "node", 12), ("client1", "client", 101)]
    assert [n.name for n in topology.networks] == ["mgmt", "client", "storage_a", "storage_b", "heartbeat"]
    assert str(topology.addresses(topology.machine("node2"))["heartbeat"]) == "10.20.3.12/24"
    assert topology.memory_mib == 640 + 512 + 512 + 384


@pytest.mark.parametrize("name", sorted(builtin_topologies()))
def test_built_in_topologies_survive_the_way_to_data_and_back(name: str) -> None:
    topology = load_topology(name)
    again, problems = parse_topology(to_data(topology))
    assert problems == []
    assert again == topology


def test_what_is_left_out_gets_its_default() -> None:
    topology, problems = parse_topology(GOOD)
    assert problems == []
    assert topology is not None
    assert topology.system == "debian13"
    assert topology.release == "trixie"
    assert str(topology.network("mgmt").gateway) == "10.9.0.1/24"
    assert topology.machine("san1").networks == ("mgmt", "client")
    assert topology.machine("san1").memory_mib == 512


def test_a_machine_joins_networks_in_the_order_of_the_file() -> None:
    topology, _ = parse_topology(GOOD)
    assert topology is not None
    assert topology.machine("node1").networks == ("mgmt", "client")


@pytest.mark.parametrize(("change", "value", "expected"), [
    ("system", "debian11", "system: 'debian11' is not known; known are debian12, debian13"),
    ("colour", "red", "topology.colour: unknown key; known are system, packages, networks, nodes"),
    ("packages", "pacemaker", "packages: expected a list of names of Debian packages"),
    ("packages", ["Pace maker"], "packages: expected a list of names of Debian packages"),
    ("networks", "all", "networks: expected a mapping, found a str"),
    ("networks/mgmt", None, "networks: 'mgmt' is missing: Ansible reaches the nodes through it"),
    ("networks/Bad", {"subnet": "10.1.0.0/24"}, "networks.Bad: a network's name is 1 to 15 of a-z, 0-9 and _"),
    ("networks/client/subnet", "10.8.0.0/33", "networks.client.subnet: '33' is not a valid netmask"),
    ("networks/client/subnet", "10.9.0.0/16", "networks.client.subnet: 10.9.0.0/16 overlaps 10.9.0.0/24 of networks.mgmt"),
    ("networks/client/gateway", 255, "networks.client.gateway: expected a whole number from 1 to 254, found 255"),
    ("networks/eth0", {"subnet": "10.1.0.0/24"}, "networks.eth0: this is a name of the kernel's own interfaces; take another"),
    ("networks/client/mtu", 9000, "networks.client.mtu: unknown key; known are subnet, gateway"),
    ("nodes", {}, "nodes: a lab needs at least one"),
    ("nodes", ["node1"], "nodes: expected a mapping, found a list"),
    ("nodes/node1/role", "router", "nodes.node1.role: expected one of array, node, client, found 'router'"),
    ("nodes/node1/host", None, "nodes.node1.host: expected a whole number from 1 to 254, found None"),
    ("nodes/node1/host", True, "nodes.node1.host: expected a whole number from 1 to 254, found True"),
    ("nodes/node1/host", 5, "nodes.node1.host: 5 is taken by nodes.san1"),
    ("nodes/node1/host", 254, "nodes.node1.host: 254 is the gateway of network client"),
    ("nodes/node1/memory_mib", 64, "nodes.node1.memory_mib: expected a whole number from 256 to 65536, found 64"),
    ("nodes/node1/networks", "mgmt", "nodes.node1.networks: expected a list, found a str"),
    ("nodes/node1/networks", ["client"], "nodes.node1.networks: 'mgmt' is missing: Ansible reaches the node through it"),
    ("nodes/node1/networks", ["mgmt", "san"], "nodes.node1.networks[1]: there is no network 'san'; there are mgmt, client"),
    ("nodes/san1/disks", 3, "nodes.san1.disks: expected a list of at most 8 disks"),
    ("nodes/san1/disks/0/name", "No!", "nodes.san1.disks[0].name: a disk needs a name of its own of a-z, 0-9 and -"),
    ("nodes/san1/disks/0/size_gib", 0, "nodes.san1.disks[0].size_gib: expected a whole number from 1 to 4096, found 0"),
    ("nodes/Node_9", {"role": "node", "host": 12}, "nodes.Node_9: a node's name is 1 to 15 of a-z, 0-9 and -"),
])
def test_each_fault_is_named_with_its_place(change: str, value: Any, expected: str) -> None:
    assert any(problem.startswith(expected) for problem in problems_with(**{change: value}))


def test_all_faults_are_told_at_once() -> None:
    problems = problems_with(**{"system": "beos", "networks/client/gateway": 0, "nodes/node1/role": "x",
                                "nodes/san1/disks/0/size_gib": "big"})
    assert [problem.split(":")[0] for problem in problems] == [
        "system", "networks.client.gateway", "nodes.san1.disks[0].size_gib", "nodes.node1.role"]


@pytest.mark.parametrize("raw", [None, [], "text", 7, {}, {"networks": None, "nodes": None}, {1: 2},
                                 {"networks": {"mgmt": None}, "nodes": {"a": None}},
                                 {"networks": {"mgmt": {"subnet": "10.0.0.0/30"}}, "nodes": {1: {}}},
                                 {"networks": {7: {"subnet": "10.0.0.0/31"}}, "nodes": {"a": {"networks": [{}]}}}])
def test_nonsense_is_refused_without_a_traceback(raw: Any) -> None:
    topology, problems = parse_topology(raw)
    assert topology is None
    assert problems


def test_more_cluster_nodes_than_a_lab_can_have() -> None:
    nodes = {f"n{i}": {"role": "node", "host": 20 + i} for i in range(MAXIMUM_CLUSTER_NODES + 1)}
    assert problems_with(nodes=nodes) == ["nodes: 9 machines with role node; at most 8"]


def test_another_number_of_cluster_nodes(topology: Topology) -> None:
    eight = topology.with_cluster_nodes(8)
    assert [m.name for m in eight.machines] == ["san1", *(f"node{i}" for i in range(1, 9)), "client1"]
    assert [m.index for m in eight.machines] == list(range(10))
    assert len({m.host for m in eight.machines}) == 10
    assert topology.with_cluster_nodes(2) == topology
    assert parse_topology(to_data(eight)) == (eight, [])


@pytest.mark.parametrize("count", [0, 9, -1])
def test_a_number_of_cluster_nodes_that_can_not_be(topology: Topology, count: int) -> None:
    with pytest.raises(UsageError, match=r"a lab has 1 to 8 cluster nodes"):
        topology.with_cluster_nodes(count)


def test_added_nodes_do_not_collide_with_others() -> None:
    raw = copy.deepcopy(GOOD)
    raw["nodes"]["client1"] = {"role": "client", "host": 13}
    topology, _ = parse_topology(raw)
    assert topology is not None
    with pytest.raises(UsageError, match=r"nodes\.client1\.host: 13 is taken by nodes\.node3"):
        topology.with_cluster_nodes(4)


def test_mac_addresses_are_local_and_differ(topology: Topology) -> None:
    macs = [topology.mac(m, network) for m in topology.machines for network in m.networks]
    assert len(set(macs)) == len(macs)
    assert all(int(mac[:2], 16) & 3 == 2 for mac in macs)


def test_unknown_machine(topology: Topology) -> None:
    with pytest.raises(UsageError, match="there is no node 'node9' in this lab; it has san1, node1, node2, client1"):
        topology.machine("node9")


def test_a_file_with_faults(tmp_path: Path) -> None:
    path = tmp_path / "mine.yml"
    path.write_text("system: beos\nnodes: {}\n")
    with pytest.raises(UsageError) as caught:
        load_topology(str(path))
    assert str(caught.value).splitlines() == [
        f"topology {path}: 4 errors", "  system: 'beos' is not known; known are debian12, debian13",
        "  networks: expected a mapping, found nothing",
        "  networks: 'mgmt' is missing: Ansible reaches the nodes through it",
        "  nodes: a lab needs at least one"]


def test_a_file_that_is_not_there_or_no_yaml(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="topology 'nope': No such file or directory; known by name: default"):
        load_topology("nope")
    with pytest.raises(UsageError, match="Is a directory"):
        load_topology(str(tmp_path))
    broken = tmp_path / "broken.yml"
    broken.write_text("nodes: [\n")
    with pytest.raises(UsageError, match="this is not YAML"):
        load_topology(str(broken))
    broken.write_bytes(b"\xff\xfe\x00bad")
    with pytest.raises(UsageError, match="not text in UTF-8"):
        load_topology(str(broken))
