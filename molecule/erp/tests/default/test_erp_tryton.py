"""Both patterns with the inventory's inputs: a server inside the package, one outside, and a loaded company."""

from __future__ import annotations

import json

import pytest

INSIDE, OUTSIDE = "10.20.0.50", "10.20.0.101"
UNIT, DOOR = "tryton-erp.service", "tryton-erp-door.socket"
LOG_IN = """
import json, sys, urllib.request
secret = json.load(open("/etc/holdfast/erp_probe.json"))["password"]
body = {"id": 0, "method": "common.db.login", "params": ["seller", {"password": secret}]}
kind = {"Content-Type": "application/json"}
request = urllib.request.Request(f"http://{sys.argv[1]}:8000/erp/", json.dumps(body).encode(), kind)
print(json.dumps(json.load(urllib.request.urlopen(request, timeout=30))))
"""


@pytest.mark.parametrize("address", [INSIDE, OUTSIDE])
def test_a_user_logs_in_at_each_server(address, client1):
    answer = json.loads(client1.check_output("python3 -c %s %s", LOG_IN, address))
    user, session = answer["result"][:2]
    assert user > 0
    assert session


def test_the_door_is_open_where_the_package_is_and_opens_by_itself_nowhere(any_node):
    status = json.loads(any_node.check_output("holdfastctl status --json"))["packages"]["erp"]
    assert any_node.service(DOOR).is_running is (status["state"] == "owner")
    assert any_node.socket("tcp://0.0.0.0:8000").is_listening is (status["state"] == "owner")
    assert any_node.check_output(f"systemctl is-enabled {DOOR}") == "static"


def test_a_server_runs_behind_it_on_every_node_for_that_node_alone(any_node):
    assert any_node.service(UNIT).is_running and any_node.service(UNIT).is_enabled
    assert any_node.socket("tcp://127.0.0.1:18000").is_listening
    assert not any_node.socket("tcp://0.0.0.0:18000").is_listening


def test_the_server_outside_starts_by_itself(client1):
    assert client1.service(UNIT).is_running and client1.service(UNIT).is_enabled
    assert client1.socket("tcp://0.0.0.0:8000").is_listening
    assert not client1.file(f"/etc/systemd/system/{DOOR}").exists


def test_every_server_has_the_reconnect_rules(any_node, client1):
    for host in (any_node, client1):
        assert "10.20.0.50:5432/?sslmode=require&connect_timeout=2" in host.file("/etc/tryton/erp.conf").content_string


def test_the_distributions_own_server_stays_down(any_node, client1):
    for host in (any_node, client1):
        assert not host.service("tryton-server.service").is_running


def test_secrets_are_read_by_their_owner_alone(any_node, client1):
    for host in (any_node, client1):
        assert (host.file("/etc/tryton/erp.conf").group, host.file("/etc/tryton/erp.conf").mode) == ("tryton", 0o640)
    assert client1.file("/etc/holdfast/erp_probe.json").mode == 0o600


def test_check_mode_of_what_is_there_sees_nothing_to_do(changes):
    assert changes("playbooks/deploy_erp.yml") == []
    assert changes("playbooks/load_erp.yml") == []


def test_it_is_not_removed_from_under_its_package_nor_without_a_word(playbook, any_node):
    assert "Say yes with -e remove_erp=erp" in playbook("playbooks/remove_erp.yml").stdout
    refused = playbook("playbooks/remove_erp.yml", "-e", "remove_erp=erp")
    assert refused.returncode != 0
    assert "is open here for its package" in refused.stdout
    assert any_node.file("/etc/tryton/erp.conf").exists
