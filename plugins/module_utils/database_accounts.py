# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Roles that may log in, and the databases they own, whatever server keeps them."""

from __future__ import annotations

import json

from .resource import Action


class AccountSet:
    """Wanted accounts: role, database, password. Roles and databases that are not named are left alone.

    A subclass brings what is its server's own: I(query), the statement whose answer is JSON with C(roles) (stored password
    by role; null where there are none) and C(databases) (their names); L(matches) and L(build_statements).
    """

    query = ""

    def __init__(self, accounts, run_sql):
        self.accounts = {account["role"]: account for account in accounts}
        self._run_sql = run_sql

    def matches(self, stored, password):
        """Whether the server's stored form is that of this password."""
        raise NotImplementedError

    def build_statements(self, verb, subject):
        """The statements of one action, without their semicolons."""
        raise NotImplementedError

    def read(self):
        """Roles with their stored passwords, and databases."""
        return json.loads(self._run_sql(self.query))

    def plan(self, before):
        """Roles first, then their databases."""
        actions = []
        for role, account in self.accounts.items():
            stored = (before["roles"] or {}).get(role)
            if stored is None:
                actions.append(Action("create role", role))
            elif not self.matches(stored, account["password"]):
                actions.append(Action("set password of role", role))
        return actions + [Action("create database", name) for name in self._databases() if name not in before["databases"]]

    def apply(self, action):
        """One action, one batch of statements."""
        self._run_sql("".join(statement + ";\n" for statement in self.build_statements(action.verb, action.subject)))

    def build_initial_sql(self):
        """Statements for a server that was just made: all roles, then all databases."""
        wanted = [*(("create role", role) for role in self.accounts), *(("create database", name) for name in self._databases())]
        return [statement for verb, subject in wanted for statement in self.build_statements(verb, subject)]

    def owner_of(self, database):
        """The first role that this database is for."""
        return next(role for role, account in self.accounts.items() if account["database"] == database)

    def _databases(self):
        return dict.fromkeys(account["database"] for account in self.accounts.values())
