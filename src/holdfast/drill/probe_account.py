"""The probe's own account in the database of a package: what the superuser is told, and how the client then logs in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

PROBE_FOLDER = "/run/holdfast-drill"


@dataclass(frozen=True)
class ProbeAccount:
    """One kind of database. `programs` are needed beside client.py; `files` hold what must not be in a command."""

    driver: str
    driver_package: str
    superuser: Callable[[str, int], list[str]]
    statements: Callable[[str], str]
    conninfo: Callable[[str, int, str], Any]
    files: Callable[[str, int, str], Mapping[str, str]] = lambda address, port, password: {}
    programs: tuple[str, ...] = ()


def _postgresql_superuser(package: str, port: int) -> list[str]:
    return ["runuser", "-u", "postgres", "--", "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-p", str(port)]


def _mariadb_superuser(package: str, port: int) -> list[str]:
    """The socket is where the agent makes the server listen (agent, resources/mariadb.py)."""
    return ["mariadb", "--no-defaults", "--batch", "-S", f"/run/mysqld/holdfast-{package}-mariadb.sock"]


def _postgresql_conninfo(address: str, port: int, password: str) -> str:
    return (f"host={address} port={port} dbname=holdfast_probe user=holdfast_probe passfile={PROBE_FOLDER}/pgpass "
            "sslmode=require gssencmode=disable application_name=holdfast_probe")  # fmt: skip


def _postgresql_files(address: str, port: int, password: str) -> Mapping[str, str]:
    return {"pgpass": f"{address}:{port}:holdfast_probe:holdfast_probe:{password}\n"}


def _mariadb_conninfo(address: str, port: int, password: str) -> Mapping[str, Any]:
    """It stands in the probe's configuration, which root alone can read."""
    return {"host": address, "port": port, "user": "holdfast_probe", "password": password, "database": "holdfast_probe"}


def build_mariadb_sql(password: str) -> str:
    """Role and database of the probe; the server gets a hash, never the password: statements end up in logs."""
    digest = hashlib.sha1(hashlib.sha1(password.encode()).digest()).hexdigest().upper()  # mysql_native_password's own form
    return f"""
CREATE DATABASE IF NOT EXISTS holdfast_probe;
CREATE OR REPLACE USER 'holdfast_probe'@'%' IDENTIFIED BY PASSWORD '*{digest}' REQUIRE SSL;
GRANT ALL ON holdfast_probe.* TO 'holdfast_probe'@'%';
DROP TABLE IF EXISTS holdfast_probe.transaction;
"""


def build_account_sql(password: str) -> str:
    """Role and database of the probe. The server gets a verifier, never the password: statements end up in logs."""
    verifier = build_scram_verifier(password, os.urandom(16))
    return f"""
SELECT 'CREATE ROLE holdfast_probe LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_probe')\\gexec
ALTER ROLE holdfast_probe PASSWORD '{verifier}';
SELECT 'CREATE DATABASE holdfast_probe OWNER holdfast_probe'
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'holdfast_probe')\\gexec
\\connect holdfast_probe
DROP SCHEMA IF EXISTS holdfast_probe CASCADE;
"""


def build_scram_verifier(password: str, salt: bytes, iterations: int = 4096) -> str:
    """SCRAM-SHA-256 verifier as PostgreSQL stores it (RFC 5802; PostgreSQL manual, pg_authid)."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client = hashlib.sha256(_hmac(salted, b"Client Key")).digest()
    server = _hmac(salted, b"Server Key")
    words = (base64.b64encode(part).decode() for part in (salt, client, server))
    return "SCRAM-SHA-256${}:{}${}:{}".format(iterations, *words)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


ACCOUNTS: Mapping[str, ProbeAccount] = {
    "postgresql": ProbeAccount("psycopg", "python3-psycopg", _postgresql_superuser, build_account_sql,
                               _postgresql_conninfo, _postgresql_files),
    "mariadb": ProbeAccount("pymysql", "python3-pymysql", _mariadb_superuser, build_mariadb_sql, _mariadb_conninfo,
                            programs=("client_mariadb",)),
}  # fmt: skip
