"""A client of the database that keeps a record of everything it was told.

Several writers insert rows with a unique (worker, seq); each transaction is one row, or several rows where the worker is
a multi-row one. Readers ask for the newest row of every writer. What a line of the record may claim stands in attempts.py.

Every wait has its own deadline, counted by the monotonic clock. A connection that missed a deadline is thrown away
without a word: talking to a dead server takes time.

    python3 -m holdfast.probe.client prepare CONFIG      makes the table
    python3 -m holdfast.probe.client run CONFIG          until SIGTERM or the config's end
    python3 -m holdfast.probe.client final CONFIG LABEL  the rows that are there now
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from holdfast.probe import client_mariadb, client_postgresql
from holdfast.probe.attempts import Log, NoAnswer, Refused, Worker, run_workers
from holdfast.probe.statements import STATEMENTS, Statements

# Rows of a transaction that has several. MariaDB's statement knows of this number (statements.py).
MULTI_ROWS = 5


def statements_of(config: dict[str, Any]) -> Statements:
    """In the words of the database that this run is about."""
    return STATEMENTS[config.get("database", "postgresql")]


def connect(
    config: dict[str, Any], tcp_seconds: float, seconds: float
) -> client_postgresql.Connection | client_mariadb.Connection:
    """A connection to the database that this run is about."""
    if config.get("database", "postgresql") == "postgresql":
        return client_postgresql.Connection(config["conninfo"], tcp_seconds, seconds)
    return client_mariadb.Connection(config["conninfo"], tcp_seconds, seconds)


class TransactionLog(Log):
    """Knows how long each writer was without an acknowledged transaction at the longest."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.longest: dict[str, float] = {}

    def count(self, record: dict[str, Any]) -> None:
        super().count(record)
        if record["outcome"] == "ok" and record["role"] == "writer":
            end = record["t_mono"] + record["seconds"]
            gap = end - self.last_ok.get(record["worker"], end)
            self.longest[record["worker"]] = max(gap, self.longest.get(record["worker"], 0.0))
            self.last_ok[record["worker"]] = end

    def status(self) -> dict[str, Any]:
        return {**super().status(), "longest": max(self.longest.values(), default=None)}


class Client(Worker):
    """Connects when it has to, does one transaction after the other."""

    def __init__(self, name: str, role: str, rows: int, config: dict[str, Any], log: Log, stop: threading.Event) -> None:
        super().__init__(name, config, log, stop)
        self.role, self.rows = role, rows
        self.connection: client_postgresql.Connection | client_mariadb.Connection | None = None
        self.seen: dict[str, int] = {}

    def work(self) -> None:
        self.attempt()
        self.stop.wait(self.config["pause_seconds"])

    def attempt(self) -> None:
        """One transaction, one line."""
        self.seq += 1
        self.stage = "connect"
        record = self.begin(role=self.role, rows=self.rows)
        outcome, error = "ok", ""
        try:
            self._transaction()
        except Refused as reason:
            outcome, error = "fail", str(reason)
            self._drop()
        except NoAnswer as reason:
            outcome, error = ("indeterminate" if self.stage == "commit" else "fail"), str(reason)
            self._drop()
        if outcome == "ok" and self.role == "reader":
            record["seen"] = dict(self.seen)
        self.finish(record, outcome, error)

    def _transaction(self) -> None:
        limit = self.config["statement_timeout_seconds"]
        if self.connection is None:
            self.connection = connect(self.config, self.config["tcp_timeout_seconds"], self.config["connect_timeout_seconds"])
        connection, run, statements = self.connection, self.config["run"], statements_of(self.config)
        if self.role == "reader":
            self.stage = "execute"
            rows = connection.execute(statements.newest, [run, ",".join(self.config["writers"])], limit)
            self.seen = {worker: int(seq) for worker, seq in rows if seq}
        elif self.rows == 1:
            self.stage = "commit"  # one statement commits itself: from here on the outcome may be unknown
            connection.execute(statements.insert, [run, self.name, str(self.seq), "1"], limit)
        else:
            self.stage = "execute"
            connection.execute("BEGIN", [], limit)
            connection.execute(statements.insert, [run, self.name, str(self.seq), str(self.rows)], limit)
            self.stage = "commit"
            connection.execute("COMMIT", [], limit)

    def _drop(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def run(config: dict[str, Any]) -> int:
    """All workers until somebody says stop or the end has come."""
    stop, log = threading.Event(), TransactionLog(config)
    writers = config["writers"]
    workers = [Client(name, "writer", MULTI_ROWS if name == writers[-1] and len(writers) > 1 else 1, config, log, stop)
               for name in writers]  # fmt: skip
    workers += [Client(name, "reader", 1, config, log, stop) for name in config["readers"]]
    patience = config["connect_timeout_seconds"] + config["statement_timeout_seconds"] + 1
    return run_workers(workers, log, stop, config["seconds"], patience)


def final(config: dict[str, Any], label: str) -> int:
    """Prints all rows of this run, in ranges; tries again until `final_timeout_seconds` are over."""
    end = time.monotonic() + config["final_timeout_seconds"]
    while True:
        began, wall = time.monotonic(), time.time()
        try:
            connection = connect(config, 5, 5)
            rows = connection.execute(statements_of(config).all_rows, [config["run"]], config["final_timeout_seconds"])
            break
        except (Refused, NoAnswer) as error:
            if time.monotonic() > end:
                print(f"no final read: {error}", file=sys.stderr)
                return 1
            time.sleep(0.2)
    print(json.dumps({"label": label, "client": config["client"], "t_wall": wall, "t_mono": began,
                      "rows": ranges([(w, int(s), int(n)) for w, s, n in rows], config["writers"])}))  # fmt: skip
    return 0


def ranges(rows: list[tuple[str, int, int]], writers: list[str]) -> dict[str, list[list[int]]]:
    """Rows in order as ``[first, last, rows]`` per worker, which is short where nothing is missing."""
    found: dict[str, list[list[int]]] = {worker: [] for worker in writers}
    for worker, seq, count in rows:
        runs = found.setdefault(worker, [])
        if runs and runs[-1][1] == seq - 1 and runs[-1][2] == count:
            runs[-1][1] = seq
        else:
            runs.append([seq, seq, count])
    return found


def prepare(config: dict[str, Any]) -> int:
    """Makes the table, with the probe's own account."""
    connection = connect(config, 30, 30)
    for sql in statements_of(config).create:
        connection.execute(sql, [], 30)
    return 0


def main(argv: list[str]) -> int:
    with open(argv[2]) as file:  # noqa: PTH123
        config = json.load(file)
    if argv[1] == "run":
        return run(config)
    if argv[1] == "final":
        return final(config, argv[3])
    return prepare(config)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
