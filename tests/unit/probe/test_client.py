"""The probe's record: what a client may claim to know after each way in which an attempt can end."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from holdfast.probe import client
from holdfast.probe.attempts import NoAnswer, Refused

CONFIG = {
    "client": "client1", "run": "r", "conninfo": "", "writers": ["w1", "w2"], "readers": ["r1"],
    "tcp_timeout_seconds": 0.1, "connect_timeout_seconds": 0.1, "statement_timeout_seconds": 0.1,
    "pause_seconds": 0, "seconds": 1,
    "final_timeout_seconds": 0,
}  # fmt: skip


class Server:
    """Stands in for the connection: answers each statement from a script; an exception in it is raised."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.closed = False

    def execute(self, sql: str, values: list[str], seconds: float) -> list[list[str]]:
        self.asked.append(sql)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]

    def close(self) -> None:
        self.closed = True


def attempt(tmp_path: Path, server: Server | Exception, role: str = "writer", rows: int = 1) -> dict[str, Any]:
    config = {**CONFIG, "attempts": str(tmp_path / "attempts"), "status": str(tmp_path / "status")}
    worker = client.Client("w1", role, rows, config, client.TransactionLog(config), threading.Event())
    if isinstance(server, Server):
        worker.connection = server  # type: ignore[assignment]
    worker.attempt()
    record: dict[str, Any] = json.loads((tmp_path / "attempts").read_text())
    return record


def test_an_acknowledged_transaction_is_ok(tmp_path: Path) -> None:
    record = attempt(tmp_path, Server([]))
    assert record["outcome"] == "ok" and record["seq"] == 1 and record["seconds"] >= 0


@pytest.mark.parametrize(
    ("answers", "rows", "outcome", "stage"),
    [
        ([NoAnswer("lost")], 1, "indeterminate", "commit"),
        ([Refused("no")], 1, "fail", "commit"),
        ([NoAnswer("lost")], 5, "fail", "execute"),
        ([[], NoAnswer("lost")], 5, "fail", "execute"),
        ([[], [], NoAnswer("lost")], 5, "indeterminate", "commit"),
        ([[], [], Refused("no")], 5, "fail", "commit"),
    ],
)
def test_only_a_lost_commit_is_indeterminate(tmp_path: Path, answers: list[Any], rows: int, outcome: str, stage: str) -> None:
    server = Server(*answers)
    record = attempt(tmp_path, server, rows=rows)
    assert (record["outcome"], record["stage"]) == (outcome, stage)
    assert server.closed, "a connection that failed is not used again"


def test_a_reader_tells_what_it_saw(tmp_path: Path) -> None:
    record = attempt(tmp_path, Server([["w1", "7"], ["w2", ""]]), role="reader")
    assert record["seen"] == {"w1": 7}


def test_ranges_are_short_where_nothing_is_missing() -> None:
    rows = [("w1", 1, 1), ("w1", 2, 1), ("w1", 4, 1), ("w2", 1, 5), ("w2", 2, 4)]
    assert client.ranges(rows, ["w1", "w2", "w3"]) == {
        "w1": [[1, 2, 1], [4, 4, 1]], "w2": [[1, 1, 5], [2, 2, 4]], "w3": [],
    }  # fmt: skip


def test_the_status_tells_how_long_each_writer_waits(tmp_path: Path) -> None:
    config = {**CONFIG, "attempts": str(tmp_path / "attempts"), "status": str(tmp_path / "status")}
    log = client.TransactionLog(config)
    log.add({"worker": "w1", "role": "writer", "outcome": "ok", "t_mono": 0.0, "seconds": 0.5})
    log.add({"worker": "w1", "role": "writer", "outcome": "ok", "t_mono": 3.0, "seconds": 0.5})
    log.write_status()
    status = json.loads((tmp_path / "status").read_text())
    assert status["ok"] == 2 and status["longest"] == 3.0 and status["waits"]["w1"] > 0


def test_a_worker_with_a_bug_stops_the_whole_probe(tmp_path: Path) -> None:
    config = {**CONFIG, "attempts": str(tmp_path / "attempts"), "status": str(tmp_path / "status")}
    stop = threading.Event()
    worker = client.Client("w1", "writer", 1, config, client.TransactionLog(config), stop)
    worker.connection = Server(ZeroDivisionError("bug"))  # type: ignore[assignment]
    with pytest.raises(ZeroDivisionError):
        worker.run()
    assert stop.is_set() and "ZeroDivisionError" in worker.log.broken
