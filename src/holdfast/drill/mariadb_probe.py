"""The measuring client where the package's database is MariaDB."""

from __future__ import annotations

import hashlib
import json
import secrets

from holdfast.drill.observers import PLACE_FILES, Probe
from holdfast.drill.view import ClusterView
from holdfast.probe import client_files


class MariadbProbe(Probe):
    """As for PostgreSQL, with another driver and another way to say the same."""

    driver_module, driver_package = "pymysql", "python3-pymysql"

    def prepare(self, owner: str) -> None:
        """An account and a database of the probe's own, its table, its programs on the client."""
        database = self.view.database
        assert database is not None
        password = secrets.token_urlsafe(24)
        # root logs in by its own account over the socket, which is where the agent makes the server listen.
        socket = f"/run/mysqld/holdfast-{self.view.name}-{database['name']}.sock"
        self.shell.succeed(owner, ["mariadb", "--no-defaults", "--batch", "-S", socket],
                           stdin=build_mariadb_sql(password, keep_rows=not self.clearing))  # fmt: skip
        # The configuration is readable by root alone.
        login = {"host": self.route.host, "port": self.route.port, "user": "holdfast_probe", "password": password,
                 "database": "holdfast_probe"}  # fmt: skip
        config = {**self._config(self.route), "database": "mariadb", "conninfo": login}
        files = {**client_files(), "probe.json": json.dumps(config)}
        self.shell.succeed(self.client, ["python3", "-c", PLACE_FILES, self.folder], stdin=json.dumps(files))
        self.shell.succeed(self.client, [*self._call("prepare")])


def probe_of(view: ClusterView) -> type[Probe]:
    """The probe that speaks to this package's database."""
    return MariadbProbe if view.database is not None and view.database["type"] == "mariadb" else Probe


def build_mariadb_sql(password: str, keep_rows: bool = False) -> str:
    """Role and database of the probe; the server gets a hash, never the password: statements end up in logs."""
    # What mysql_native_password stores: the SHA-1 of the SHA-1 (MariaDB manual).
    digest = hashlib.sha1(hashlib.sha1(password.encode()).digest()).hexdigest().upper()
    drop = "" if keep_rows else "DROP TABLE IF EXISTS holdfast_probe.transaction;"
    return f"""
CREATE DATABASE IF NOT EXISTS holdfast_probe;
CREATE OR REPLACE USER 'holdfast_probe'@'%' IDENTIFIED BY PASSWORD '*{digest}' REQUIRE SSL;
GRANT ALL ON holdfast_probe.* TO 'holdfast_probe'@'%';
{drop}
"""
