"""The ERP's users of a drill: who they are, what reaches the client host, and when they count as served."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import pytest

from holdfast.drill.erp_users import ACCOUNT_FILE, ErpUsers, NoErpUsers, find_erp_users
from holdfast.drill.errors import DrillError
from holdfast.drill.hosts import Completed

SERVERS = [{"name": "inside", "address": "10.20.0.50", "port": 8000, "beyond_database_seconds": 15},
           {"name": "outside", "address": "10.20.0.101", "port": 8000, "beyond_database_seconds": 1.5}]  # fmt: skip
ACCOUNT = {"package": "erp", "database": "erp", "login": "seller", "password": "secret", "servers": SERVERS}


class Shell:
    """A client host with or without the account file; keeps what it was told."""

    def __init__(self, answer: Completed) -> None:
        self.answer = answer
        self.told: list[tuple[Sequence[str], str]] = []

    def run(self, host: str, argv: Sequence[str], stdin: str = "", timeout_seconds: float = 30) -> Completed:
        self.told.append((argv, stdin))
        return self.answer

    def succeed(self, host: str, argv: Sequence[str], stdin: str = "", timeout_seconds: float = 30) -> str:
        return self.run(host, argv, stdin).stdout


def users(answer: Completed | None = None) -> ErpUsers:
    return ErpUsers(Shell(answer or Completed(0, "", "")), "client1", "run", ACCOUNT)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "package", "there"),
    [
        (Completed(0, json.dumps(ACCOUNT), ""), "erp", True),
        (Completed(0, json.dumps(ACCOUNT), ""), "shop", False),
        (Completed(1, "", "No such file"), "erp", False),
    ],
)
def test_users_are_there_where_the_client_knows_an_erp_of_this_package(answer: Completed, package: str, there: bool) -> None:
    found = find_erp_users(Shell(answer), "client1", "run", package)  # type: ignore[arg-type]
    assert isinstance(found, ErpUsers) is there


def test_without_an_erp_nothing_is_done_and_nothing_is_waited_for() -> None:
    nobody = NoErpUsers()
    nobody.start()
    assert nobody.settings is None and nobody.served(3)[0]
    assert nobody.final_read("after_act") is None and nobody.stop() is None


def test_the_password_stays_in_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    found = users()
    monkeypatch.setattr(found, "_follow", lambda: None)
    found.start()
    told = json.dumps([[*list(argv), stdin] for argv, stdin in found.shell.told])  # type: ignore[attr-defined]
    assert "secret" not in told and ACCOUNT_FILE in told
    assert "secret" not in json.dumps(found.settings)


def status(errors: int = 0, broken: str = "", **waits: float) -> dict[str, object]:
    return {"fail": errors, "indeterminate": 0, "waits": waits, "last_error": "x" if errors else "", "broken": broken}


@pytest.mark.parametrize(
    ("seen", "served"),
    [
        (status(inside=0.2, outside=0.1), True),
        (status(outside=0.1), False),
        (status(inside=4.0, outside=0.1), False),
        (status(inside=0.2, outside=0.1, broken="KeyError"), False),
        ({}, False),
    ],
)
def test_served_means_every_user_gets_answers(seen: dict[str, object], served: bool) -> None:
    found = users()
    if seen:
        found._take(seen)
    found.calm_since = time.monotonic() - 10
    assert found.served(3)[0] is served


def test_an_error_starts_the_quiet_time_afresh() -> None:
    found = users()
    found._take(status(inside=0.1, outside=0.1))
    found.calm_since = time.monotonic() - 10
    found._take(status(errors=1, inside=0.1, outside=0.1))
    good, words = found.served(3)
    assert not good and "last error: x" in words


def test_a_final_read_that_fails_is_an_error_and_no_empty_answer() -> None:
    with pytest.raises(DrillError, match="no final read of the ERP"):
        users(Completed(1, "", "no connection")).final_read("after_act")
    assert users(Completed(0, '{"orders": {}}', "")).final_read("after_act") == {"orders": {}}
