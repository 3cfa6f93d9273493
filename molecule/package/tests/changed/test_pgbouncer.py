"""pgbouncer with changed inputs, while its clients stay connected."""

from __future__ import annotations


def test_it_has_its_setting_and_serves(client1, log_in):
    settings = client1.file("/etc/holdfast-pooler/erp/pgbouncer.ini").content_string
    assert "default_pool_size = 7" in settings.splitlines()
    assert log_in("10.20.0.101", 6432) == "off"


def test_it_was_reloaded_and_not_restarted(client1):
    for unit in ("holdfast-pooler@erp", "holdfast-gate@erp"):
        assert client1.check_output(f"systemctl show -P NRestarts {unit}") == "0"
    log = client1.check_output("journalctl -q -o cat -u holdfast-pooler@erp")
    assert log.count("process up") == 1
