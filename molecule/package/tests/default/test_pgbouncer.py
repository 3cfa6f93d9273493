"""pgbouncer with the inventory's inputs: a pooler for one of the two packages."""

from __future__ import annotations

UNITS = ("holdfast-pooler@erp", "holdfast-gate@erp")


def test_pooler_and_gate_run_and_come_back_at_boot(client1):
    for unit in UNITS:
        assert client1.service(unit).is_running
        assert client1.service(unit).is_enabled
    assert not client1.service("pgbouncer").is_enabled
    assert not client1.service("pgbouncer").is_running


def test_the_erp_logs_in_through_it_over_tls(log_in):
    assert log_in("10.20.0.101", 6432) == "off"


def test_no_password_of_a_client_is_on_its_host(client1):
    users = client1.file("/etc/holdfast-pooler/erp/users.txt")
    assert users.mode == 0o600
    assert [line.split()[0] for line in users.content_string.splitlines()] == ['"holdfast_pooler"']
