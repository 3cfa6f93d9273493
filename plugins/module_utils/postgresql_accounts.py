# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Roles that may log in, and the databases they own."""

from __future__ import annotations

import json

from .resource import Action
from .scram import build_verifier, verifier_matches

_READ = """
select json_build_object(
  'roles', (select coalesce(json_object_agg(rolname, coalesce(rolpassword, '')), '{}')
            from pg_authid where rolcanlogin),
  'databases', (select coalesce(json_object_agg(datname, pg_get_userbyid(datdba)), '{}') from pg_database));
"""


class AccountSet:
    """Wanted accounts: role, database, password. Roles and databases that are not named are left alone."""

    def __init__(self, accounts, run_sql):
        self.accounts = {account["role"]: account for account in accounts}
        self._run_sql = run_sql

    def read(self):
        """Roles with their verifiers, and databases with their owners."""
        return json.loads(self._run_sql(_READ))

    def plan(self, before):
        """Roles first, then the databases that they own."""
        actions = []
        for role, account in self.accounts.items():
            if role not in before["roles"]:
                actions.append(Action("create role", role))
            elif not verifier_matches(before["roles"][role], account["password"]):
                actions.append(Action("set password of role", role))
        wanted = {account["database"]: role for role, account in self.accounts.items()}
        actions += [Action("create database", name) for name in wanted if name not in before["databases"]]
        return actions

    def apply(self, action):
        """One statement for one action."""
        self._run_sql(self._statement(action.verb, action.subject) + ";\n")

    def build_initial_sql(self):
        """Statements for a database that was just made."""
        roles = [self._statement("create role", role) for role in self.accounts]
        return roles + [self._statement("create database", account["database"]) for account in self.accounts.values()]

    def _statement(self, verb, subject):
        if verb == "create database":
            owner = next(role for role, account in self.accounts.items() if account["database"] == subject)
            return f"create database {_identifier(subject)} owner {_identifier(owner)}"
        verifier = build_verifier(self.accounts[subject]["password"])
        keyword = "create" if verb == "create role" else "alter"
        return f"{keyword} role {_identifier(subject)} login password '{verifier}'"


def _identifier(name):
    return '"' + name.replace('"', '""') + '"'
