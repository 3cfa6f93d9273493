#!/usr/bin/python3
"""A client of the database that keeps a record of everything it was told.

Several writers insert rows with a unique (worker, seq); each transaction is one row, or several rows where the worker is
a multi-row one. Readers ask for the newest row of every writer. Every attempt ends in one line of JSON:

* ``ok``            the server acknowledged it
* ``fail``          it is sure that nothing was committed: no connection, or the server said no before the commit
* ``indeterminate`` the commit was sent and no answer came; both outcomes are right

Every wait has its own deadline, counted by the monotonic clock; libpq's own connect_timeout has whole seconds only and
is not used. A connection that missed a deadline is thrown away without a word: talking to a dead server takes time.

    client.py run CONFIG         until SIGTERM or the config's end
    client.py final CONFIG LABEL the rows that are there now
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import sys
import threading
import time
from typing import Any, NamedTuple

MULTI_ROWS = 5
STATUS_PERIOD_SECONDS = 0.2


class Statements(NamedTuple):
    """What the probe says to a database, in its words. The order of the values is the same for all."""

    create: tuple[str, ...]
    insert: str
    newest: str
    all_rows: str


STATEMENTS = {
    "postgresql": Statements(
        create=(
            "CREATE SCHEMA IF NOT EXISTS holdfast_probe",
            "CREATE TABLE IF NOT EXISTS holdfast_probe.transaction (run text, worker text, seq bigint, part int, "
            "PRIMARY KEY (run, worker, seq, part))",
        ),
        insert="INSERT INTO holdfast_probe.transaction SELECT $1, $2, $3::bigint, part FROM generate_series(1, $4::int) AS part",
        newest="SELECT worker, (SELECT max(seq) FROM holdfast_probe.transaction t WHERE t.run = $1 AND t.worker = w.worker) "
        "FROM unnest(string_to_array($2, ',')) AS w(worker)",
        all_rows="SELECT worker, seq, count(*) FROM holdfast_probe.transaction WHERE run = $1 "
        "GROUP BY worker, seq ORDER BY worker, seq",
    ),
    "mariadb": Statements(
        create=(
            "CREATE TABLE IF NOT EXISTS holdfast_probe.transaction (run varchar(100), worker varchar(10), seq bigint, "
            "part int, PRIMARY KEY (run, worker, seq, part)) ENGINE=InnoDB",
        ),
        insert="INSERT INTO holdfast_probe.transaction SELECT %s, %s, %s, seq FROM seq_1_to_5 WHERE seq <= %s",
        newest="SELECT worker, max(seq) FROM holdfast_probe.transaction WHERE run = %s AND FIND_IN_SET(worker, %s) "
        "GROUP BY worker",
        all_rows="SELECT worker, seq, count(*) FROM holdfast_probe.transaction WHERE run = %s "
        "GROUP BY worker, seq ORDER BY worker, seq",
    ),
}  # fmt: skip


class Refused(Exception):
    """The server answered, and the answer was no."""


class NoAnswer(Exception):
    """A deadline passed or the connection broke; what the server did is not known."""


class Connection:
    """libpq without blocking: every call ends at its deadline."""

    def __init__(self, conninfo: str, tcp_seconds: float, seconds: float) -> None:
        psycopg = importlib.import_module("psycopg")  # here, so that the tests of the rest need no libpq
        self.pq, self.error = psycopg.pq, psycopg.OperationalError
        self.tcp_deadline = time.monotonic() + tcp_seconds
        deadline = time.monotonic() + seconds
        self.raw = self.pq.PGconn.connect_start(conninfo.encode())
        try:
            self._open(deadline)
        except BaseException:
            self.close()
            raise

    def _open(self, deadline: float) -> None:
        status = self.pq.PollingStatus
        # The first wait comes before the first poll (libpq, PQconnectPoll), else an address without an owner counts as reached.
        state = status.WRITING
        while True:
            if self.raw.status == self.pq.ConnStatus.BAD:
                raise NoAnswer(self._message())
            # Nobody at the address answers within a round trip or never; a server that is there may take its time.
            tcp = self.raw.status == self.pq.ConnStatus.STARTED
            self._wait(min(deadline, self.tcp_deadline) if tcp else deadline, writing=state == status.WRITING)
            state = self.raw.connect_poll()
            if state == status.OK:
                self.raw.nonblocking = 1
                return
            if state == status.FAILED:
                raise NoAnswer(self._message())

    def _message(self) -> str:
        return " ".join(self.raw.error_message.decode(errors="replace").split())[:200]

    def _wait(self, deadline: float, writing: bool = False) -> None:
        left = deadline - time.monotonic()
        descriptor = self.raw.socket
        ready = select.select([] if writing else [descriptor], [descriptor] if writing else [], [], max(left, 0))
        if not any(ready):
            raise NoAnswer("deadline passed")

    def execute(self, sql: str, values: list[str], seconds: float) -> list[list[str]]:
        """Rows of one statement. Refused, or NoAnswer."""
        deadline = time.monotonic() + seconds
        try:
            self.raw.send_query_params(sql.encode(), [value.encode() for value in values] or None)
            while self.raw.flush():
                self._wait(deadline, writing=True)
            return self._results(deadline)
        except self.error as error:
            raise NoAnswer(str(error)[:200]) from error

    def _results(self, deadline: float) -> list[list[str]]:
        rows: list[list[str]] = []
        refused = ""
        while True:
            while self.raw.is_busy():
                self._wait(deadline)
                self.raw.consume_input()
            result = self.raw.get_result()
            if result is None:  # only after ReadyForQuery: CommandComplete comes before the commit itself
                break
            refused = self._refusal(result) or refused
            rows += [[(result.get_value(r, c) or b"").decode() for c in range(result.nfields)]
                     for r in range(result.ntuples)]  # fmt: skip
        if refused:
            raise Refused(refused)
        return rows

    def _refusal(self, result: Any) -> str:
        """What the server said if it was no; NoAnswer where it died while answering (FATAL, PANIC)."""
        if result.status not in (self.pq.ExecStatus.FATAL_ERROR, self.pq.ExecStatus.BAD_RESPONSE):
            return "the server rolled back" if result.command_status == b"ROLLBACK" else ""
        text = " ".join(result.error_message.decode(errors="replace").split())[:200] or "no message"
        severity = result.error_field(self.pq.DiagnosticField.SEVERITY_NONLOCALIZED)
        if severity != b"ERROR":
            raise NoAnswer(text)
        return text

    def close(self) -> None:
        self.raw.finish()


def statements_of(config: dict[str, Any]) -> Statements:
    """In the words of the database that this run is about."""
    return STATEMENTS[config.get("database", "postgresql")]


def connect(config: dict[str, Any], tcp_seconds: float, seconds: float) -> Connection:
    """A connection to the database that this run is about; the other kind's program lies beside this one."""
    if config.get("database", "postgresql") == "postgresql":
        return Connection(config["conninfo"], tcp_seconds, seconds)
    other: Any = importlib.import_module("client_mariadb").Connection
    connection: Connection = other(config["conninfo"], tcp_seconds, seconds, Refused, NoAnswer)
    return connection


class Log:
    """One line per attempt, written at once; and a small status file for whoever watches."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.file = open(config["attempts"], "a", buffering=1)  # noqa: SIM115, PTH123 - lives as long as the program
        self.status_path = config["status"]
        self.lock = threading.Lock()
        self.counts = {"ok": 0, "fail": 0, "indeterminate": 0}
        self.last_ok: dict[str, float] = {}
        self.longest: dict[str, float] = {}
        self.last_error = ""
        self.broken = ""

    def add(self, record: dict[str, Any]) -> None:
        with self.lock:
            self.file.write(json.dumps(record) + "\n")
            self.counts[record["outcome"]] += 1
            if record["outcome"] != "ok":
                self.last_error = record["error"]
            elif record["role"] == "writer":
                end = record["t_mono"] + record["seconds"]
                gap = end - self.last_ok.get(record["worker"], end)
                self.longest[record["worker"]] = max(gap, self.longest.get(record["worker"], 0.0))
                self.last_ok[record["worker"]] = end

    def write_status(self) -> None:
        with self.lock:
            now = time.monotonic()
            waits = {worker: round(now - end, 3) for worker, end in self.last_ok.items()}
            status = {"t_wall": time.time(), **self.counts, "waits": waits, "last_error": self.last_error, "broken": self.broken,
                      "longest": max(self.longest.values(), default=None)}  # fmt: skip
        with open(self.status_path + ".new", "w") as file:  # noqa: PTH123 - one file without pathlib's start-up cost
            json.dump(status, file)
        os.replace(self.status_path + ".new", self.status_path)  # noqa: PTH105


class Worker(threading.Thread):
    """One client: connects when it has to, does one transaction after the other."""

    def __init__(self, name: str, role: str, rows: int, config: dict[str, Any], log: Log, stop: threading.Event):
        super().__init__(name=name, daemon=True)
        self.role, self.rows, self.config, self.log, self.stop = role, rows, config, log, stop
        self.connection: Connection | None = None
        self.seq = int(config.get("first_seq", 0))
        self.seen: dict[str, int] = {}

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                self.attempt()
                self.stop.wait(self.config["pause_seconds"])
        except Exception as error:  # a probe that half works would measure half of the truth: all of it stops
            self.log.broken = f"{self.name}: {type(error).__name__}: {error}"
            self.stop.set()
            raise

    def attempt(self) -> None:
        """One transaction, one line."""
        self.seq += 1
        self.stage = "connect"
        record = {"client": self.config["client"], "worker": self.name, "role": self.role, "seq": self.seq,
                  "rows": self.rows, "t_mono": time.monotonic(), "t_wall": time.time()}  # fmt: skip
        outcome, error = "ok", ""
        try:
            self._transaction()
        except Refused as reason:
            outcome, error = "fail", str(reason)
            self._drop()
        except NoAnswer as reason:
            outcome, error = ("indeterminate" if self.stage == "commit" else "fail"), str(reason)
            self._drop()
        record |= {"seconds": round(time.monotonic() - record["t_mono"], 6), "outcome": outcome}
        if outcome != "ok":
            record |= {"stage": self.stage, "error": error}
        elif self.role == "reader":
            record["seen"] = dict(self.seen)
        self.log.add(record)

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
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log = Log(config)
    writers = config["writers"]
    workers = [Worker(name, "writer", MULTI_ROWS if name == writers[-1] and len(writers) > 1 else 1, config, log, stop)
               for name in writers]  # fmt: skip
    workers += [Worker(name, "reader", 1, config, log, stop) for name in config["readers"]]
    for worker in workers:
        worker.start()
    end = time.monotonic() + config["seconds"]
    while not stop.wait(STATUS_PERIOD_SECONDS) and time.monotonic() < end:
        log.write_status()
    stop.set()
    for worker in workers:
        worker.join(timeout=config["connect_timeout_seconds"] + config["statement_timeout_seconds"] + 1)
    log.write_status()
    return 1 if log.broken else 0


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
