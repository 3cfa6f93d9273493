# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL in a package's data directory."""

from __future__ import annotations

from pathlib import Path

from .database_directory import DatabaseDirectory
from .errors import HoldfastError
from .postgresql_accounts import PostgresqlAccounts

SOCKET_DIRECTORY = "/var/run/postgresql"
#: Where Debian has the server's programs (postgresql-common); documented in doc_fragments/databases.py.
BINARIES_OPTION = {"type": "str", "default": "/usr/lib/postgresql/{version}/bin"}
#: The distribution's sample comes first; what stands in our file wins, because the last setting does.
_CONFIG = "include 'postgresql.sample.conf'\ninclude 'holdfast.conf'\n"


class PostgresqlCluster(DatabaseDirectory):
    """One cluster in PostgreSQL's sense: a data directory with the databases in it."""

    title = "PostgreSQL"
    user = "postgres"
    process = "postgres"
    pid_file = "postmaster.pid"

    def __init__(self, wanted, binaries):
        super().__init__(wanted)
        self.binaries = Path(binaries)
        self.accounts = PostgresqlAccounts(wanted["accounts"], self._run_sql)

    def read_version(self):
        """Major version of the data."""
        try:
            return (self.directory / "PG_VERSION").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None

    def build_files(self):
        """Settings, access rules, and the map that lets root be the superuser over the socket, for a base backup too."""
        lines = [f"{name} = {quote_setting(value)}" for name, value in sorted(self.wanted["settings"].items())]
        access = ["local all postgres peer map=holdfast", "local replication postgres peer map=holdfast",
                  "local all all scram-sha-256"]  # fmt: skip
        access += [f"hostssl all all {network} scram-sha-256" for network in self.wanted["client_networks"]]
        users = ["holdfast root postgres", "holdfast postgres postgres"]
        texts = {"holdfast.conf": lines, "pg_hba.conf": access, "pg_ident.conf": users}
        return {"postgresql.conf": _CONFIG, **{name: "\n".join(text) + "\n" for name, text in texts.items()}}

    def make(self):
        """initdb with checksums, then everything that needs no running server."""
        self.run_as_owner(
            [str(self.binaries / "initdb"), "--pgdata", str(self.directory), "--data-checksums", "--encoding=UTF8",
             "--locale=C.UTF-8", "--auth-local=peer", "--auth-host=scram-sha-256", "--no-instructions"]
        )  # fmt: skip
        (self.directory / "postgresql.conf").rename(self.directory / "postgresql.sample.conf")
        self.make_certificate()
        self.write_files()
        self._run_single_user(self.accounts.build_initial_sql())

    def _run_single_user(self, statements):
        """Statements on a database that is not running, one to a line (manual, postgres, single-user mode)."""
        if statements:
            argv = [str(self.binaries / "postgres"), "--single", "-D", str(self.directory), "postgres"]
            self.run_as_owner(argv, stdin="".join(statement.replace("\n", " ") + "\n" for statement in statements))

    def _run_sql(self, text):
        """Statements on the running server, as its superuser over its socket; unaligned output without headers."""
        argv = [str(self.binaries / "psql"), "--no-psqlrc", "--quiet", "--tuples-only", "--no-align",
                "--set=ON_ERROR_STOP=1", "--host", SOCKET_DIRECTORY, "--port", str(self.wanted["settings"]["port"]),
                "--dbname=postgres"]  # fmt: skip
        return self.run_as_owner(argv, stdin=text)


def find_binaries(version, pattern, required=True):
    """Directory of a version's programs; I(pattern) comes from the system's data."""
    directory = Path(pattern.format(version=version))
    if required and not (directory / "initdb").exists():
        raise HoldfastError(f"PostgreSQL {version} is not installed here: {directory} has no initdb")
    return directory


def quote_setting(value):
    """A value as postgresql.conf takes it: on and off, and single quotes doubled."""
    text = ("on" if value else "off") if isinstance(value, bool) else str(value)
    return "'" + text.replace("'", "''") + "'"
