"""What the poolers need in a database, planned from what is there."""

from __future__ import annotations

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils.pooler_login import _DIGEST, ROLE, PoolerLogin
from ansible_collections.holdfast.cluster.plugins.module_utils.scram import build_verifier

WANTED = {"package": "erp", "port": 5432, "data_directory": "/srv/erp/pgdata", "password": "secret"}
GOOD = build_verifier("secret")


def plan(verifier: str | None, **functions: str) -> list[str]:
    before = {"running": True, "verifier": verifier, "functions": functions}
    return [action.describe() for action in PoolerLogin(WANTED, "/bin").plan(before)]


def test_nothing_where_the_server_is_elsewhere() -> None:
    assert PoolerLogin(WANTED, "/bin").plan({"running": False}) == []


def test_the_role_comes_before_what_is_granted_to_it() -> None:
    assert plan(None, erp="", template1="") == [
        f"create role {ROLE}",
        "create lookup in database erp",
        "create lookup in database template1",
    ]


def test_nothing_to_do_the_second_time() -> None:
    assert plan(GOOD, erp=_DIGEST, template1=_DIGEST) == []


@pytest.mark.parametrize("verifier", ["", build_verifier("other")])
def test_another_password_is_replaced(verifier: str) -> None:
    assert plan(verifier, erp=_DIGEST) == [f"set password of role {ROLE}"]


def test_an_older_function_is_replaced() -> None:
    assert plan(GOOD, erp="0" * 32, shop=_DIGEST) == ["create lookup in database erp"]


def test_the_verifier_is_not_shown() -> None:
    resource = PoolerLogin(WANTED, "/bin")
    assert resource.public({"running": True, "verifier": GOOD, "functions": {}}) == {"running": True, "functions": {}}
