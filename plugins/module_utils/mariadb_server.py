# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""MariaDB in a package's data directory."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from .command import run
from .database_directory import DatabaseDirectory
from .errors import HoldfastError
from .resource import Action

#: Where the agent starts it with socket and pid file of its own (agent, resources/mariadb.py).
RUN_DIRECTORY = "/run/mysqld"
_VERSION = re.compile(r"^(\d+\.\d+)")
_READ = """
select json_object(
  'roles', (select json_objectagg(user, json_value(priv, '$.authentication_string')) from mysql.global_priv
            where host = '%'),
  'databases', (select json_arrayagg(schema_name) from information_schema.schemata));
"""


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


class MariadbAccounts:
    """Wanted accounts: role, database, password. Roles and databases that are not named are left alone."""

    def __init__(self, accounts, run_sql):
        self.accounts = {account["role"]: account for account in accounts}
        self._run_sql = run_sql

    def read(self):
        """Roles with their password hashes, and databases."""
        return json.loads(self._run_sql(_READ))

    def plan(self, before):
        """Roles first, then their databases."""
        actions = []
        for role, account in self.accounts.items():
            present = (before["roles"] or {}).get(role)
            if present is None:
                actions.append(Action("create role", role))
            elif present.upper() != hash_password(account["password"]):
                actions.append(Action("set password of role", role))
        names = [account["database"] for account in self.accounts.values()]
        return actions + [Action("create database", name) for name in names if name not in before["databases"]]

    def apply(self, action):
        """One action, one batch of statements."""
        self._run_sql("".join(statement + ";\n" for statement in self._statements(action.verb, action.subject)))

    def build_initial_sql(self):
        """Statements for a server that was just made."""
        statements = []
        for role, account in self.accounts.items():
            statements += self._statements("create role", role)
            statements += self._statements("create database", account["database"])
        return statements

    def _statements(self, verb, subject):
        if verb == "create database":
            owner = next(role for role, account in self.accounts.items() if account["database"] == subject)
            return [f"create database {_identifier(subject)}", f"grant all on {_identifier(subject)}.* to {_user(owner)}"]
        keyword = "create" if verb == "create role" else "alter"
        digest = hash_password(self.accounts[subject]["password"])
        return [f"{keyword} user {_user(subject)} identified by password '{digest}' require ssl"]


def hash_password(password):
    """What mysql_native_password stores: a star and the SHA-1 of the SHA-1, in capitals (MariaDB manual)."""
    return "*" + hashlib.sha1(hashlib.sha1(password.encode()).digest()).hexdigest().upper()


def check_installed(directory="/usr/sbin"):
    """Raises HoldfastError where the server is not installed."""
    if not Path(directory, "mariadbd").exists():
        raise HoldfastError(f"MariaDB is not installed here: no {directory}/mariadbd")


def _identifier(name):
    return "`" + name.replace("`", "``") + "`"


def _user(name):
    return "'" + name.replace("'", "''") + "'@'%'"


def _text(value):
    return ("on" if value else "off") if isinstance(value, bool) else str(value)
