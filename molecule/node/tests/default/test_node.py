"""node_base, watchdog, iscsi_initiator and multipath with the inventory's inputs."""

from __future__ import annotations

import json

LUNS = {"erp-lock", "erp-data", "shop-lock", "shop-data", "spare"}


def maps(host):
    return {row["name"]: row for row in json.loads(host.check_output("multipathd show maps json"))["maps"]}


def test_node_base(any_node):
    assert any_node.file("/etc/holdfast/cluster.key").mode == 0o600
    assert "node2-storage-b" in any_node.file("/etc/hosts").content_string
    assert any_node.sysctl("kernel.panic") == 3
    assert any_node.file("/var/log/journal").is_directory


def test_watchdog_is_the_softdog_and_nobody_opened_it(any_node):
    assert any_node.file("/dev/watchdog1").exists
    assert "softdog" in any_node.check_output("lsmod")
    assert any_node.file("/etc/modules-load.d/holdfast-watchdog.conf").content_string.strip() == "softdog"


def test_one_session_for_each_network_under_the_nodes_own_name(any_node):
    sessions = any_node.check_output("cat /sys/class/iscsi_session/*/targetname").split()
    assert len(sessions) == len(set(sessions)) == 2
    name = any_node.file("/etc/iscsi/initiatorname.iscsi").content_string.strip()
    assert name == f"InitiatorName=iqn.2026-11.lab.holdfast:lab:{any_node.check_output('hostname')}"


def test_every_lun_has_its_name_and_two_paths(any_node):
    seen = maps(any_node)
    assert set(seen) == LUNS
    assert {row["paths"] for row in seen.values()} == {2}
    # 30 seconds at a polling interval of 2.
    assert {row["queueing"] for row in seen.values()} == {"15 chk"}


def test_services_come_back_at_boot(any_node):
    for unit in ("iscsid", "multipathd", "holdfast-iscsi-login"):
        assert any_node.service(unit).is_enabled


def test_check_mode_sees_nothing_to_do(changes):
    assert changes("molecule/node/converge.yml") == []
