"""Who reaches the array's portals. On QEMU: the kernel of the other backend cannot filter IP (docs/lab.md)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from holdfast.lab import Lab
from holdfast.lab.topology import load_topology
from tests.integration.conftest import Site

pytestmark = pytest.mark.lab

# The stranger is on a storage network without being a node of the cluster.
TOPOLOGY = """
networks:
  mgmt: {subnet: 10.20.9.0/24, gateway: 1}
  client: {subnet: 10.20.0.0/24, gateway: 1}
  storage_a: {subnet: 10.20.1.0/24}
  storage_b: {subnet: 10.20.2.0/24}
  heartbeat: {subnet: 10.20.3.0/24}
nodes:
  san1: {role: array, host: 5, networks: [mgmt, storage_a, storage_b], memory_mib: 640, disks: [{name: luns, size_gib: 24}]}
  node1: {role: node, host: 11}
  node2: {role: node, host: 12}
  stranger: {role: client, host: 66, networks: [mgmt, client, storage_a], memory_mib: 384}
"""
PORTALS = ("10.20.1.5", "10.20.2.5")
ARRAY_ONLY = ("-e", "iscsi_target_firewall=nftables", "--limit", "localhost,array")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    path = tmp_path_factory.mktemp("firewall") / "site.yml"
    path.write_text(TOPOLOGY)
    lab = Lab("firewall-test")
    try:
        lab.up(load_topology(str(path)), backend="qemu", fresh=True)
        site = Site("firewall-test", made_here=True)
        site.succeed("build_cluster", *ARRAY_ONLY)
        yield site
    finally:
        lab.down(delete=True)


def reached(site: Site, node: str) -> list[str]:
    """The portals that take a connection of `node`; what is dropped is waited for 3 s."""
    answers = (site.lab.node(node).execute(f"timeout 3 bash -c '</dev/tcp/{portal}/3260'").code for portal in PORTALS)
    return [portal for portal, code in zip(PORTALS, answers, strict=True) if code == 0]


def test_nodes_reach_every_portal(site: Site) -> None:
    assert [reached(site, node) for node in ("node1", "node2")] == [list(PORTALS)] * 2


def test_a_stranger_on_a_storage_network_reaches_none_although_the_array_answers_it(site: Site) -> None:
    stranger = site.lab.node("stranger")
    assert stranger.execute("ping -c 1 -W 5 10.20.1.5").code == 0
    assert reached(site, "stranger") == []
    # It is the rules that keep it out: without them the same portal takes its connection.
    array = site.lab.node("san1")
    array.succeed("nft delete table inet holdfast_iscsi")     # stopping the unit would stop the target as well
    assert reached(site, "stranger") == ["10.20.1.5"]
    array.succeed("systemctl reload holdfast-iscsi-firewall")
    assert reached(site, "stranger") == []


def test_a_node_reaches_no_portal_over_another_network(site: Site) -> None:
    node = site.lab.node("node1")
    node.succeed("ip route add 10.20.1.5/32 via 10.20.9.5 src 10.20.9.11")
    try:
        assert reached(site, "node1") == ["10.20.2.5"]
    finally:
        node.succeed("ip route del 10.20.1.5/32")


def test_a_second_run_changes_nothing_and_the_rules_are_back_after_a_reboot(site: Site) -> None:
    assert "changed=0" in site.succeed("build_cluster", *ARRAY_ONLY)
    array = site.lab.node("san1")
    boots = array.status()["boots"]
    array.execute("systemctl reboot")
    array.wait_until_rebooted(boots, timeout_seconds=240)
    assert reached(site, "stranger") == []
    assert reached(site, "node1") == list(PORTALS)
