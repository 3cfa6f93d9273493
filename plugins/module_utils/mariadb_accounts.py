# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Roles that may log in to MariaDB from elsewhere, with TLS, and the databases they own."""

from __future__ import annotations

import hashlib

from .database_accounts import AccountSet


class MariadbAccounts(AccountSet):
    """MariaDB has no owner of a database: its role gets all rights on it."""

    query = """
select json_object(
  'roles', (select json_objectagg(user, json_value(priv, '$.authentication_string')) from mysql.global_priv
            where host = '%'),
  'databases', (select json_arrayagg(schema_name) from information_schema.schemata));
"""

    def matches(self, stored, password):
        """The hash has no salt, so that equal passwords have equal hashes."""
        return stored.upper() == hash_password(password)

    def build_statements(self, verb, subject):
        """A database takes two statements, everything else one."""
        if verb == "create database":
            grant = f"grant all on {_identifier(subject)}.* to {_user(self.owner_of(subject))}"
            return [f"create database {_identifier(subject)}", grant]
        keyword = "create" if verb == "create role" else "alter"
        digest = hash_password(self.accounts[subject]["password"])
        return [f"{keyword} user {_user(subject)} identified by password '{digest}' require ssl"]


def hash_password(password):
    """What mysql_native_password stores: a star and the SHA-1 of the SHA-1, in capitals (MariaDB manual)."""
    return "*" + hashlib.sha1(hashlib.sha1(password.encode()).digest()).hexdigest().upper()


def _identifier(name):
    return "`" + name.replace("`", "``") + "`"


def _user(name):
    return "'" + name.replace("'", "''") + "'@'%'"
