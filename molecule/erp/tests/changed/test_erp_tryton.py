"""After a change of inputs: the server outside has them and serves, the one inside takes them with its next start."""

from __future__ import annotations

import json


def test_every_server_has_the_new_limit(any_node, client1):
    for host in (any_node, client1):
        assert "maxconn = 16" in host.file("/etc/tryton/erp.conf").content_string


def test_the_server_outside_was_started_with_it_and_serves(client1):
    """Both moments by the wall clock, in whole seconds."""
    started = client1.check_output("systemctl show --value --property ActiveEnterTimestamp tryton-erp.service")
    written = client1.check_output("stat --format %Y /etc/tryton/erp.conf")
    assert int(client1.check_output(f"date +%s --date '{started}'")) >= int(written)
    assert client1.socket("tcp://0.0.0.0:8000").is_listening


def test_the_package_stayed_in_service(any_node):
    status = json.loads(any_node.check_output("holdfastctl status --json"))["packages"]["erp"]
    assert status["state"] in ("owner", "standby")
    assert status["failures"] == 0
