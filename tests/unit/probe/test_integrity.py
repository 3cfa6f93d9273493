"""The search for damage: what the database's tools say, word for word, and what it means.

The texts of pg_amcheck, pg_basebackup and psql were recorded with PostgreSQL 15.18 and a byte of a table changed on disk.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from holdfast.probe import integrity

AMCHECK_DAMAGE = """NOTICE:  extension "amcheck" already exists, skipping
WARNING:  page verification failed, calculated checksum 44938 but expected 8488
heap table "postgres.public.t":
    ERROR:  invalid page in block 5 of relation base/5/16398
btree index "postgres.public.t_a_idx":
    ERROR:  invalid page in block 5 of relation base/5/16398
"""
AMCHECK_NO_SERVER = """pg_amcheck: error: connection to server on socket "/var/run/postgresql/.s.PGSQL.54398" failed: No such \
file or directory
\tIs the server running locally and accepting connections on that socket?
"""
BACKUP_GOOD = """NOTICE:  WAL archiving is not enabled; you must ensure that all required WAL segments are copied through other \
means to complete the backup
"""
BACKUP_DAMAGE = f"""WARNING:  checksum verification failed in file "./base/5/16398", block 5: calculated AF8A but expected 2128
{BACKUP_GOOD}pg_basebackup: error: checksum error occurred
"""
BACKUP_REFUSED = """pg_basebackup: error: connection to server on socket "/var/run/postgresql/.s.PGSQL.54399" failed: FATAL:  no \
pg_hba.conf entry for replication connection from host "[local]", user "postgres", no encryption
"""
# mariadb-check(1) prints a line per table; damage is a line "error".
TABLES_GOOD = "mysql.user                                          OK\nshop.orders                                        OK\n"
TABLES_DAMAGE = TABLES_GOOD + "shop.lines\nerror    : Corrupt\n"


class Server:
    """Answers of the programs by name, and what was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **answers: Any) -> None:
        self.answers, self.asked = answers, []  # type: ignore[var-annotated]
        monkeypatch.setattr(subprocess, "run", self.run)

    def run(self, argv: list[str], **words: object) -> subprocess.CompletedProcess[str]:
        program = argv[4].rsplit("/", 1)[1] if argv[0] == "runuser" else argv[0]
        self.asked.append((program, argv[-1], argv[argv.index("-d") + 1] if "-d" in argv else ""))
        answer = self.answers[program.replace("-", "_")]
        code, text = answer(argv) if callable(answer) else answer
        return subprocess.CompletedProcess(argv, code, text)


def queries(argv: list[str]) -> tuple[int, str]:
    """Two databases, one of them with the extension already."""
    sql, database = argv[-1], argv[argv.index("-d") + 1]
    if "pg_database WHERE" in sql:
        return 0, "postgres\nthe shop\n"
    if "count(*)" in sql:
        return 0, "1\n" if database == "the shop" else "0\n"
    return 0, {"SHOW data_checksums": "on\n"}.get(sql, "22.4\n" if "pg_database_size" in sql else "")


@pytest.mark.parametrize(("tool", "code", "text", "good", "words"), [
    ("pg_amcheck", 0, "", True, "nothing wrong in 2 databases"),
    ("pg_amcheck", 2, AMCHECK_DAMAGE, False, "found damage: ERROR:  invalid page in block 5 of relation base/5/16398"),
    ("pg_amcheck", 1, AMCHECK_NO_SERVER, None, "could not check: pg_amcheck: error: connection to server"),
    ("pg_basebackup", 0, BACKUP_GOOD, True, "checksums of all pages are right (22 MiB)"),
    ("pg_basebackup", 1, BACKUP_DAMAGE, False, '1 damaged pages: WARNING:  checksum verification failed in file "./base/5'),
    ("pg_basebackup", 1, BACKUP_REFUSED, None, "could not be read: pg_basebackup: error: connection"),
])
def test_what_a_tool_says_is_understood(
    monkeypatch: pytest.MonkeyPatch, tool: str, code: int, text: str, good: bool | None, words: str
) -> None:
    Server(monkeypatch, psql=queries, **{tool: (code, text)})
    server = integrity.Postgresql("15", "5432")
    answer = server.amcheck() if tool == "pg_amcheck" else server.checksums()
    assert answer.good is good and words in answer.words
    assert answer.output == text


def test_the_extension_is_taken_away_only_where_it_was_not_there_before(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(monkeypatch, psql=queries, pg_amcheck=(2, AMCHECK_DAMAGE))
    integrity.Postgresql("15", "5432").amcheck()
    assert [database for _, sql, database in server.asked if sql.startswith("DROP")] == ["postgres"]


def test_a_database_without_checksums_is_no_good_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    Server(monkeypatch, psql=(0, "off\n"), pg_basebackup=(0, BACKUP_GOOD))
    assert integrity.Postgresql("15", "5432").checksums().good is None


@pytest.mark.parametrize(("code", "text", "good"), [
    (0, TABLES_GOOD, True), (0, TABLES_DAMAGE, False), (0, "", None), (2, "mariadb-check: Got error: 2002: no server", None)])
def test_tables_of_mariadb(code: int, text: str, good: bool | None) -> None:
    assert integrity.judge_tables(code, text).good is good


def test_a_server_that_cannot_be_asked_is_an_answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Server(monkeypatch, psql=(2, AMCHECK_NO_SERVER.replace("pg_amcheck", "psql")))
    assert integrity.main(["integrity.py", "checksums", "15", "54398"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["good"] is None and "No such file" in answer["words"]
