"""node_base, watchdog, iscsi_initiator and multipath removed."""

from __future__ import annotations


def test_no_session_map_or_disk_is_left(any_node):
    assert any_node.check_output("ls /sys/class/iscsi_session 2>/dev/null || true") == ""
    assert any_node.check_output("dmsetup ls --target multipath") in ("", "No devices found")
    assert any_node.check_output("ls -d /sys/block/sd* 2>/dev/null || true") == ""


def test_no_file_of_the_roles_is_left(any_node):
    left = any_node.check_output(
        "find /etc /usr/lib /run /var/lib -xdev -iname '*holdfast*' -not -path '*holdfast-lab*' 2>/dev/null || true")
    # The agent's epoch must not begin anew: a key is used once only.
    assert left in ("", "/var/lib/holdfast")
    assert "holdfast" not in any_node.file("/etc/hosts").content_string
    assert not any_node.file("/etc/multipath.conf").exists
