"""What is done for accounts, and in which words, on each server."""

from __future__ import annotations

import json

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils.mariadb_accounts import MariadbAccounts, hash_password
from ansible_collections.holdfast.cluster.plugins.module_utils.postgresql_accounts import PostgresqlAccounts
from ansible_collections.holdfast.cluster.plugins.module_utils.scram import build_verifier

ACCOUNTS = [
    {"role": "erp", "database": "erp", "password": "secret"},
    {"role": "audit", "database": "erp log", "password": "other"},
]
SERVERS = [(PostgresqlAccounts, build_verifier), (MariadbAccounts, hash_password)]


class Server:
    """Answers the question and writes down everything else."""

    def __init__(self, answer=None):
        self.answer, self.told = answer, []

    def __call__(self, text):
        self.told.append(text)
        return json.dumps(self.answer)


@pytest.mark.parametrize(("server", "store"), SERVERS)
def test_missing_roles_and_databases_are_made_and_changed_passwords_set(server, store):
    accounts = server(ACCOUNTS, Server({"roles": {"erp": store("old"), "stranger": store("x")}, "databases": ["erp"]}))
    assert [action.describe() for action in accounts.plan(accounts.read())] == [
        "set password of role erp", "create role audit", "create database erp log"
    ]  # fmt: skip


@pytest.mark.parametrize(("server", "store"), SERVERS)
def test_accounts_that_are_as_they_should_be_stay(server, store):
    roles = {"erp": store("secret"), "audit": store("other")}
    assert server(ACCOUNTS, None).plan({"roles": roles, "databases": ["erp", "erp log"]}) == []


@pytest.mark.parametrize("server", [PostgresqlAccounts, MariadbAccounts])
def test_a_database_of_two_roles_is_made_once(server):
    shared = [{**account, "database": "erp"} for account in ACCOUNTS]
    actions = server(shared, None).plan({"roles": None, "databases": []})
    assert [action.subject for action in actions if action.verb == "create database"] == ["erp"]


@pytest.mark.parametrize("stored", ["", "md5abc"])
def test_a_role_of_postgresql_without_a_verifier_gets_one(stored):
    accounts = PostgresqlAccounts(ACCOUNTS[:1], None)
    assert [action.verb for action in accounts.plan({"roles": {"erp": stored}, "databases": ["erp"]})] == ["set password of role"]


def test_what_mariadb_is_told():
    server = Server()
    accounts = MariadbAccounts(ACCOUNTS, server)
    for action in accounts.plan({"roles": {"erp": "*0"}, "databases": ["erp"]}):
        accounts.apply(action)
    secret, other = hash_password("secret"), hash_password("other")
    assert server.told == [
        f"alter user 'erp'@'%' identified by password '{secret}' require ssl;\n",
        f"create user 'audit'@'%' identified by password '{other}' require ssl;\n",
        "create database `erp log`;\ngrant all on `erp log`.* to 'audit'@'%';\n",
    ]


def test_what_postgresql_is_told_before_its_first_start():
    told = [statement.partition(" password ")[0] for statement in PostgresqlAccounts(ACCOUNTS, None).build_initial_sql()]
    assert told[:2] == ['create role "erp" login', 'create role "audit" login']
    assert told[2:] == ['create database "erp" owner "erp"', 'create database "erp log" owner "audit"']


def test_names_cannot_leave_their_quotes():
    odd = [{"role": "o'b`\"", "database": "d`\"'", "password": "secret"}]
    assert "create database `d``\"'`" in MariadbAccounts(odd, None).build_initial_sql()
    assert 'create database "d`""\'" owner "o\'b`"""' in PostgresqlAccounts(odd, None).build_initial_sql()
