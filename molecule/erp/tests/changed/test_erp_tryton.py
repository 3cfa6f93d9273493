"""After a change of inputs: every server has them and serves."""

from __future__ import annotations

import json


def test_every_server_has_the_new_limit(any_node, client1):
    for host in (any_node, client1):
        assert "maxconn = 16" in host.file("/etc/tryton/erp.conf").content_string


def test_every_server_was_started_with_it_and_serves(any_node, client1):
    """Both moments by the wall clock, in whole seconds."""
    for host, address in ((any_node, "127.0.0.1:18000"), (client1, "0.0.0.0:8000")):
        started = host.check_output("systemctl show --value --property ActiveEnterTimestamp tryton-erp.service")
        written = host.check_output("stat --format %Y /etc/tryton/erp.conf")
        assert int(host.check_output(f"date +%s --date '{started}'")) >= int(written)
        assert host.socket(f"tcp://{address}").is_listening


def test_the_package_stayed_in_service(any_node):
    status = json.loads(any_node.check_output("holdfastctl status --json"))["packages"]["erp"]
    assert status["state"] in ("owner", "standby")
    assert status["failures"] == 0
