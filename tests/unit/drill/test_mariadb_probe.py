"""The probe's account in MariaDB: what reaches the server and the client."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from holdfast.drill.hosts import Completed
from holdfast.drill.mariadb_probe import MariadbProbe, build_mariadb_sql, probe_of
from holdfast.drill.observers import Probe
from holdfast.probe import client_files
from tests.unit.drill.site_view import view


class Shell:
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, list[str], str]] = []

    def succeed(self, host: str, argv: Sequence[str], stdin: str = "", timeout_seconds: float = 30) -> str:
        self.told.append((host, list(argv), stdin))
        return ""

    def run(self, host: str, argv: Sequence[str], stdin: str = "", timeout_seconds: float = 30) -> Completed:
        return Completed(0, self.succeed(host, argv, stdin), "")


def shop():  # type: ignore[no-untyped-def]
    plain = view()
    server = {"name": "mariadb", "type": "mariadb", "port": 3306, "data_directory": "/srv/shop/mysql"}
    return replace(plain, package={**plain.package, "name": "shop", "resources": [server]})


def test_the_probe_follows_the_database() -> None:
    assert probe_of(view()) is Probe
    assert probe_of(shop()) is MariadbProbe


def test_the_server_gets_a_hash_and_the_client_the_programs() -> None:
    shell = Shell()
    MariadbProbe(shell, shop(), "client1", "run").prepare("node2")  # type: ignore[arg-type]
    (host, argv, sql), (_, _, placed), _ = shell.told
    files = json.loads(placed)
    config = json.loads(files["probe.json"])
    assert host == "node2" and argv[-1] == "/run/mysqld/holdfast-shop-mariadb.sock"
    assert config["conninfo"]["password"] not in sql and config["database"] == "mariadb"
    assert set(files) == {*client_files(), "probe.json"}


def test_the_hash_is_the_servers_own() -> None:
    # SELECT PASSWORD('password') as MySQL's and MariaDB's manuals print it.
    sql = build_mariadb_sql("password")
    assert "'*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19'" in sql
