"""iscsi_target removed."""

from __future__ import annotations


def test_nothing_is_served(san1):
    assert san1.check_output("ss -Hltn 'sport = :3260'") == ""
    assert san1.run("ls -A /sys/kernel/config/target/iscsi").stdout.split() in ([], ["discovery_auth"], ["discovery_auth", "lio_version"])


def test_no_file_of_the_role_is_left(san1):
    left = san1.check_output("find /etc/systemd/system /etc/sysctl.d /etc/holdfast -name '*holdfast*' -type f 2>/dev/null || true")
    assert left == ""
    assert not san1.mount_point("/var/lib/holdfast/luns").exists
