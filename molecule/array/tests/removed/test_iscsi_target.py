"""iscsi_target removed."""

from __future__ import annotations


def test_nothing_is_served(san1):
    assert san1.check_output("ss -Hltn 'sport = :3260'") == ""
    assert "iqn." not in san1.run("ls /sys/kernel/config/target/iscsi").stdout


def test_no_file_of_the_role_is_left(san1):
    left = san1.check_output("find /etc /var/lib -iname '*holdfast*' -not -name '*holdfast-lab*' -type f 2>/dev/null || true")
    assert left == ""
    assert not san1.file("/etc/holdfast").exists
    assert not san1.mount_point("/var/lib/holdfast/luns").exists
