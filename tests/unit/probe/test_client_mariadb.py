"""MariaDB's errors: what is a no, and what says nothing about the commit."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from holdfast.probe import client_mariadb
from holdfast.probe.attempts import NoAnswer, Refused
from holdfast.probe.statements import STATEMENTS


class MySQLError(Exception):
    """As PyMySQL's: the code is the first argument."""


class Raw:
    """A connection that answers every statement in the same way."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.closed = answer, False

    def cursor(self) -> Raw:
        return self

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None: ...

    def execute(self, sql: str, values: Any) -> None:
        if isinstance(self.answer, Exception):
            raise self.answer

    def fetchall(self) -> Any:
        return self.answer

    def _force_close(self) -> None:
        self.closed = True


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Any:
    def build(answer: Any, refuse: Exception | None = None) -> client_mariadb.Connection:
        def open_connection(**_: Any) -> Raw:
            if refuse:
                raise refuse
            return Raw(answer)

        monkeypatch.setitem(sys.modules, "pymysql", SimpleNamespace(connect=open_connection, MySQLError=MySQLError))  # type: ignore[arg-type]
        return client_mariadb.Connection({}, 0.3, 2)

    return build


def test_rows_are_texts(connect: Any) -> None:
    connection = connect([("w1", 7), ("w2", None)])
    assert connection.execute("SELECT", ["r"], 2) == [["w1", "7"], ["w2", ""]]
    connection.close()
    assert connection.raw.closed


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (MySQLError(1062, "duplicate"), Refused),
        (MySQLError(1213, "deadlock"), Refused),
        (MySQLError(1053, "shutdown in progress"), NoAnswer),
        (MySQLError(2013, "lost connection"), NoAnswer),
        (MySQLError(), NoAnswer),
        (OSError("broken pipe"), NoAnswer),
    ],
)
def test_what_an_error_says_about_the_commit(connect: Any, error: Exception, meaning: type[Exception]) -> None:
    with pytest.raises(meaning):
        connect(error).execute("INSERT", [], 2)


def test_no_connection_is_no_answer(connect: Any) -> None:
    with pytest.raises(NoAnswer):
        connect([], refuse=MySQLError(2003, "can't connect"))


def test_every_database_has_all_statements() -> None:
    for statements in STATEMENTS.values():
        assert all(statements)
        assert statements.insert.count("%s") in (0, 4)
