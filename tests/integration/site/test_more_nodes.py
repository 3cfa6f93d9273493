"""More nodes than the package needs, in a lab of their own: one stands by for nothing, joins, leaves, and is removed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from holdfast.lab import Lab
from holdfast.lab.topology import load_topology
from tests.integration.conftest import Site
from tests.integration.site.conftest import PLAYBOOKS, changed, writing
from tests.integration.waiting import wait_until

pytestmark = pytest.mark.lab
NAME = "more-nodes"
PATIENCE_SECONDS = 120.0
PACKAGE: dict[str, Any] = {
    "name": "erp",
    "nodes": ["node1", "node2"],
    "virtual_addresses": [{"address": "10.20.0.50/24", "interface": "client"}],
    "storage": {
        "lock_lun": "erp-lock", "luns": ["erp-data"], "volume_group": "vg_erp",
        "filesystems": [{"volume": "data", "size": "100%FREE", "fstype": "xfs", "path": "/srv/erp"}],
    },
    "resources": [{"postgresql": {"version": "17", "port": 5432, "data_directory": "/srv/erp/pgdata"}}],
}  # fmt: skip
TWO_NODES = ("-e", json.dumps({"holdfast_packages": [PACKAGE]}))
THREE_NODES = ("-e", json.dumps({"holdfast_packages": [{**PACKAGE, "nodes": ["node1", "node2", "node3"]}]}))
REMOVAL = ("-e", "iscsi_target_allow_removal=true")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Three nodes; the package names two of them."""
    lab = Lab(NAME)
    try:
        lab.up(load_topology("default").with_cluster_nodes(3), fresh=True)
        site = Site(NAME, made_here=True)
        for playbook in PLAYBOOKS:
            site.succeed(playbook, *TWO_NODES)
        yield site
    finally:
        lab.down(delete=True)


def package(site: Site, node: str) -> dict[str, Any] | None:
    """What the agent of a node says of the package; None where it has none."""
    status = json.loads(site.lab.node(node).succeed("holdfastctl status --json"))
    found: dict[str, Any] | None = status["packages"].get("erp")
    return found


def states(site: Site, nodes: list[str]) -> set[str]:
    return {str((package(site, node) or {}).get("state")) for node in nodes}


def test_a_node_that_no_package_names_is_built_like_the_others(site: Site) -> None:
    for playbook in PLAYBOOKS:
        assert changed(site.succeed(playbook, *TWO_NODES)) == []
    assert package(site, "node3") is None
    spare = site.lab.node("node3")
    assert len(spare.succeed("iscsiadm -m session").splitlines()) == 2    # one for each storage network
    assert spare.succeed("lsblk --nodeps --noheadings --scsi").strip() == ""    # no LUN is shown to it
    assert spare.execute("systemctl is-active keepalived").stdout.strip() == "inactive"


def test_it_joins_and_leaves_the_package_and_clients_do_not_notice(site: Site) -> None:
    with writing(site) as load:
        for playbook in PLAYBOOKS:
            site.succeed(playbook, *THREE_NODES)
        wait_until("node3 stands by", lambda: (package(site, "node3") or {}).get("state") == "standby", PATIENCE_SECONDS)
        assert site.lab.node("node3").execute("systemctl is-active keepalived").stdout.strip() == "active"
        # First the package, then what the array shows: a LUN is not taken from a node that may still own it.
        refused = site.run("build_cluster", *TWO_NODES)
        assert "the array still exports what the inventory no longer names" in refused.stdout
        site.succeed("deploy_packages", *TWO_NODES)
        site.succeed("build_cluster", *TWO_NODES, *REMOVAL)
        for playbook in PLAYBOOKS:
            assert changed(site.succeed(playbook, *TWO_NODES)) == []
        told = load.end()
    assert package(site, "node3") is None
    assert told["acknowledged"] > 50
    assert (told["errors"], told["lost"]) == ([], [])


def test_two_of_three_nodes_die_and_the_last_one_serves(site: Site) -> None:
    for playbook in PLAYBOOKS:
        site.succeed(playbook, *THREE_NODES)
    alive = ["node1", "node2", "node3"]
    for _ in range(2):
        wait_until("all stand by", lambda: states(site, alive) <= {"owner", "standby"}, PATIENCE_SECONDS)
        owner = str((package(site, alive[0]) or {})["owner"])
        site.lab.node(owner).power_off()
        alive.remove(owner)
        wait_until(f"somebody takes over from {owner}", lambda: "owner" in states(site, alive), PATIENCE_SECONDS)
    with writing(site) as load:
        told = load.end()
    assert told["acknowledged"] > 0
    assert (told["errors"], told["lost"]) == ([], [])
    for node in {"node1", "node2", "node3"} - set(alive):
        host = site.lab.node(node)
        host.power_on()
        host.wait_until_up()
        wait_until(f"{node}'s agent answers", lambda host=host: host.execute("holdfastctl status").code == 0, PATIENCE_SECONDS)


def test_all_of_it_is_removed_also_from_a_node_without_a_package(site: Site) -> None:
    # The last one that served may be the node that leaves.
    if (package(site, "node1") or {})["owner"] == "node3":
        wait_until("node1 stands by", lambda: states(site, ["node1"]) == {"standby"}, PATIENCE_SECONDS)
        assert "its owner node3 is no longer one of its nodes" in site.run("deploy_packages", *TWO_NODES).stdout
        site.succeed("switch_package", "-e", "package=erp", "-e", "node=node1")
    site.succeed("deploy_packages", *TWO_NODES)
    site.succeed("build_cluster", *TWO_NODES, *REMOVAL)
    site.succeed("remove_cluster", *TWO_NODES, "-e", "remove_cluster=lab")
    for node in ("node1", "node2", "node3"):
        host = site.lab.node(node)
        assert host.execute("ls -d /etc/holdfast /etc/iscsi/nodes/* /usr/lib/holdfast").stdout == ""
        # Debian's packages stay, and with them its daemons: without a session and without a map.
        assert host.execute("systemctl is-active holdfast-agent keepalived").stdout.split() == ["inactive"] * 2
        assert host.execute("ls /sys/class/iscsi_session").stdout.split() == []
        assert host.succeed("dmsetup ls --target multipath").strip() in ("", "No devices found")
