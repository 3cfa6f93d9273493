# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Roles that may log in to PostgreSQL, and the databases they own."""

from __future__ import annotations

from .database_accounts import AccountSet
from .scram import build_verifier, verifier_matches


class PostgresqlAccounts(AccountSet):
    """A role without a password is read as one with an empty text, which no password matches."""

    query = """
select json_build_object(
  'roles', (select coalesce(json_object_agg(rolname, coalesce(rolpassword, '')), '{}')
            from pg_authid where rolcanlogin),
  'databases', (select coalesce(json_object_agg(datname, pg_get_userbyid(datdba)), '{}') from pg_database));
"""

    def matches(self, stored, password):
        """By the salt and the number of rounds that stand in the verifier."""
        return verifier_matches(stored, password)

    def build_statements(self, verb, subject):
        """One statement for every action."""
        if verb == "create database":
            return [f"create database {_identifier(subject)} owner {_identifier(self.owner_of(subject))}"]
        verifier = build_verifier(self.accounts[subject]["password"])
        keyword = "create" if verb == "create role" else "alter"
        return [f"{keyword} role {_identifier(subject)} login password '{verifier}'"]


def _identifier(name):
    return '"' + name.replace('"', '""') + '"'
