# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""MariaDB in a package's data directory."""

from __future__ import annotations

import re
from pathlib import Path

from .command import run
from .database_directory import DatabaseDirectory
from .errors import HoldfastError
from .mariadb_accounts import MariadbAccounts

#: Where the agent starts it with socket and pid file of its own (agent, resources/mariadb.py).
RUN_DIRECTORY = "/run/mysqld"
_VERSION = re.compile(r"^(\d+\.\d+)")


class MariadbServer(DatabaseDirectory):
    """One server with its databases. It is started with C(--defaults-file=<data directory>/holdfast.cnf)."""

    title = "MariaDB"
    user = "mysql"
    process = "mariadbd"

    def __init__(self, wanted):
        super().__init__(wanted)
        self.pid_file = f"{RUN_DIRECTORY}/holdfast-{wanted['package']}-mariadb.pid"
        self.accounts = MariadbAccounts(wanted["accounts"], self._run_sql)

    def read_version(self):
        """Series of the data, as the last server to use it wrote down (10.11, 11.8)."""
        for name in ("mariadb_upgrade_info", "mysql_upgrade_info"):
            path = self.directory / name
            if path.exists():
                match = _VERSION.match(path.read_text(encoding="ascii"))
                return match[1] if match else None
        return None

    def build_files(self):
        """The whole configuration; nothing of /etc/mysql is read."""
        final = self.wanted["data_directory"]
        fixed = {
            "datadir": final,
            "ssl_cert": f"{final}/server.crt",
            "ssl_key": f"{final}/server.key",
        }
        settings = {**self.wanted["settings"], **fixed}
        lines = [f"{name} = {_text(value)}" for name, value in sorted(settings.items())]
        return {"holdfast.cnf": "\n".join(["[mariadbd]", *lines]) + "\n"}

    def make(self):
        """mariadb-install-db, then accounts by the server's own bootstrap mode, which reads statements and ends."""
        self.run_as_owner(
            ["mariadb-install-db", "--no-defaults", f"--datadir={self.directory}", "--skip-test-db", "--skip-name-resolve",
             "--auth-root-authentication-method=socket", "--auth-root-socket-user=root"]
        )  # fmt: skip
        self.make_certificate()
        self.write_files()
        statements = self.accounts.build_initial_sql()
        if statements:
            # Accounts can be made only once the privilege tables are loaded, which bootstrap mode leaves out.
            text = "".join(statement + ";\n" for statement in ["flush privileges", *statements])
            self.run_as_owner(["mariadbd", "--no-defaults", "--bootstrap", f"--datadir={self.directory}"], stdin=text)

    def _run_sql(self, text):
        """Statements on the running server, as root over its socket."""
        socket = f"{RUN_DIRECTORY}/holdfast-{self.wanted['package']}-mariadb.sock"
        return run(["mariadb", "--no-defaults", "--batch", "--raw", "--skip-column-names", "-S", socket], stdin=text)

    def reload_server(self):
        """MariaDB has no reload of its settings; they count from its next start, which the package's owner decides."""


def check_installed(directory="/usr/sbin"):
    """Raises HoldfastError where the server is not installed."""
    if not Path(directory, "mariadbd").exists():
        raise HoldfastError(f"MariaDB is not installed here: no {directory}/mariadbd")


def _text(value):
    return ("on" if value else "off") if isinstance(value, bool) else str(value)
