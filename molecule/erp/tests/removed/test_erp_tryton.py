"""The application servers removed."""

from __future__ import annotations


def test_no_file_and_no_unit_is_left(any_node, client1):
    for host in (any_node, client1):
        for path in ("/etc/tryton/erp.conf", "/etc/systemd/system/tryton-erp.service", "/usr/lib/holdfast/load_tryton.py",
                     "/etc/holdfast/erp_probe.json"):
            assert not host.file(path).exists
        assert host.check_output("systemctl list-unit-files --no-legend 'tryton-erp*' || true") == ""
        assert host.run("pgrep -f 'trytond --config'").rc == 1
