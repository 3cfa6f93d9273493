"""pgbouncer removed with the cluster."""

from __future__ import annotations


def test_nothing_of_the_pooler_is_left(client1):
    assert client1.check_output("systemctl list-unit-files --no-legend 'holdfast-*' | grep -v holdfast-lab || true") == ""
    left = client1.check_output(
        "find /etc /usr/lib /usr/sbin /run /var/lib -xdev -iname '*holdfast*' -not -path '*holdfast-lab*' 2>/dev/null || true")
    assert left == ""
    assert client1.check_output("ss -Hltn 'sport = :6432'") == ""
