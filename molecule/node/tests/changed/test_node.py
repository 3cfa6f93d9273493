"""node_base, watchdog, iscsi_initiator and multipath with changed inputs."""

from __future__ import annotations

import json


def test_node_base(any_node):
    assert any_node.sysctl("kernel.panic") == 5
    assert any_node.sysctl("vm.dirty_bytes") == 134217728
    assert "SystemMaxUse=128M" in any_node.file("/etc/systemd/journald.conf.d/60-holdfast.conf").content_string


def test_watchdog(any_node):
    assert "soft_margin=8" in any_node.file("/etc/modprobe.d/holdfast-watchdog.conf").content_string


def test_sessions_live_on_with_the_new_timeout(any_node):
    assert any_node.check_output("cat /sys/class/iscsi_session/*/state").split() == ["LOGGED_IN"] * 2
    # Exit code 2: one of the two places does not exist, which one depends on the Debian version.
    records = any_node.run_expect([0, 2], "grep -rhs noop_out_timeout /var/lib/iscsi/nodes /etc/iscsi/nodes")
    assert set(records.stdout.splitlines()) == {"node.conn[0].timeo.noop_out_timeout = 3"}


def test_maps_queue_for_the_new_time(any_node):
    rows = json.loads(any_node.check_output("multipathd show maps json"))["maps"]
    assert {row["queueing"] for row in rows} == {"10 chk"}


def test_check_mode_sees_nothing_to_do(changes):
    assert changes("molecule/node/change.yml") == []
