"""The cluster removed."""

from __future__ import annotations


def test_no_session_map_mount_or_unit_is_left(any_node):
    assert any_node.check_output("ls /sys/class/iscsi_session 2>/dev/null || true") == ""
    assert any_node.check_output("dmsetup ls") in ("", "No devices found")
    assert "/srv/" not in any_node.check_output("cat /proc/mounts")
    assert any_node.check_output("systemctl list-unit-files --no-legend 'holdfast-*' | grep -v holdfast-lab || true") == ""


def test_no_file_is_left(any_node):
    left = any_node.check_output(
        "find /etc /usr/lib /usr/sbin /run /var/lib -xdev -iname '*holdfast*' -not -path '*holdfast-lab*' 2>/dev/null || true")
    # The agent's epoch must not begin anew: a key is used once only.
    assert left == "/var/lib/holdfast"
    assert any_node.check_output("ls /var/lib/holdfast") == "epoch"
    for path in ("/etc/multipath.conf", "/etc/keepalived/keepalived.conf", "/etc/lvm/lvmlocal.conf",
                 "/etc/postgresql-common/createcluster.conf"):
        assert not any_node.file(path).exists


def test_no_address_is_left(any_node):
    assert "10.20.0.5" not in any_node.check_output("ip -o address show client").replace("10.20.0.11", "")


def test_the_array_serves_nothing_and_keeps_the_data(san1):
    assert san1.check_output("ss -Hltn 'sport = :3260'") == ""
    assert san1.run("find /etc/systemd/system /etc/sysctl.d -iname '*holdfast*' | grep -v holdfast-lab").stdout == ""
