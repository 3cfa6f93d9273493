# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""How a pooler finds out whether a client may log in: one role that may call one function, in every database.

The function tells the verifier of ordinary roles only; superusers log in at the database itself. It is in template1 too, so
that databases made later have it. (PgBouncer before 1.19 can't ask in one database for all.)
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from .command import run
from .resource import Action, Resource
from .scram import build_verifier, verifier_matches

ROLE = "holdfast_pooler"
SOCKET_DIRECTORY = "/var/run/postgresql"
BODY = (
    "select rolname::text, rolpassword from pg_authid where rolname = name and rolcanlogin and not rolsuper "
    "and not rolreplication and (rolvaliduntil is null or rolvaliduntil > now())"
)
_DIGEST = hashlib.md5(BODY.encode(), usedforsecurity=False).hexdigest()
_READ = f"""
select json_build_object(
  'verifier', (select rolpassword from pg_authid where rolname = '{ROLE}'),
  'databases', (select json_agg(datname order by datname) from pg_database where datallowconn));
"""
_READ_FUNCTION = f"select coalesce(md5(prosrc), '') from pg_proc where oid = to_regprocedure('{ROLE}.lookup(text)');"
_CREATE_FUNCTION = f"""
create schema if not exists {ROLE};
create or replace function {ROLE}.lookup(name text) returns table (username text, password text)
  language sql stable security definer set search_path = pg_catalog, pg_temp as $body${BODY}$body$;
revoke all on schema {ROLE} from public;
revoke all on function {ROLE}.lookup(text) from public;
grant usage on schema {ROLE} to {ROLE};
grant execute on function {ROLE}.lookup(text) to {ROLE};
"""


class PoolerLogin(Resource):
    """Role and function in one package's PostgreSQL, where that runs on this node."""

    def __init__(self, wanted, binaries):
        self.wanted = wanted
        self.psql = str(Path(binaries) / "psql")

    def read(self):
        """Only I(running) where the server is elsewhere; databases with the digest of their function."""
        if not (Path(self.wanted["data_directory"]) / "postmaster.pid").exists():
            return {"running": False}
        found = json.loads(self._run_sql("postgres", _READ))
        functions = {name: self._run_sql(name, _READ_FUNCTION).strip() for name in found["databases"]}
        return {"running": True, "verifier": found["verifier"], "functions": functions}

    def plan(self, before):
        """The role first, then the function that is granted to it."""
        if not before["running"]:
            return []
        actions = []
        if before["verifier"] is None:
            actions.append(Action("create role", ROLE))
        elif not verifier_matches(before["verifier"], self.wanted["password"]):
            actions.append(Action("set password of role", ROLE))
        missing = [name for name, digest in before["functions"].items() if digest != _DIGEST]
        return actions + [Action("create lookup in database", name) for name in missing]

    def apply(self, action):
        """Carry out one action."""
        if action.verb == "create lookup in database":
            self._run_sql(action.subject, _CREATE_FUNCTION)
        else:
            keyword = "create" if action.verb == "create role" else "alter"
            self._run_sql("postgres", f"{keyword} role {ROLE} login password '{build_verifier(self.wanted['password'])}';\n")

    def expect(self, before):
        """Every database with the function."""
        return {**before, "functions": dict.fromkeys(before["functions"], _DIGEST)} if before["running"] else before

    def public(self, state):
        """Without the verifier."""
        return {key: value for key, value in state.items() if key != "verifier"}

    def _run_sql(self, database, text):
        argv = [self.psql, "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--single-transaction",
                "--set=ON_ERROR_STOP=1", "--host", SOCKET_DIRECTORY, "--port", str(self.wanted["port"]),
                "--dbname", database]  # fmt: skip
        return run(["runuser", "-u", "postgres", "--", *argv], stdin=text)
