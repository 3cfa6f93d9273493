"""What the programs on a client host share: how an attempt may end, the line that it leaves, and the threads that make them.

Every attempt ends in one line of JSON, as one of

* ``ok``            the other side said yes
* ``fail``          it is sure that nothing was done: no connection, or the other side said no before it was asked to
* ``indeterminate`` the request was sent and no clear answer came; both outcomes are right

Times are seconds: ``t_mono`` of the monotonic clock, by which durations count, ``t_wall`` since the epoch.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Sequence
from typing import Any

STATUS_PERIOD_SECONDS = 0.2
OUTCOMES = ("ok", "fail", "indeterminate")


class Refused(Exception):
    """The other side answered, and the answer was no; nothing was committed."""


class NoAnswer(Exception):
    """A deadline passed or the connection broke; what the other side did is not known."""


class Log:
    """One line per attempt, written at once; and a small status file for whoever watches.

    A subclass says what of a record counts, and keeps `last_ok`: when each worker was served last, by the monotonic clock.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self.file = open(config["attempts"], "a", buffering=1)  # noqa: SIM115, PTH123 - lives as long as the program
        self.status_path = config["status"]
        self.lock = threading.Lock()
        self.counts = dict.fromkeys(OUTCOMES, 0)
        self.last_ok: dict[str, float] = {}
        self.last_error = ""
        self.broken = ""

    def add(self, record: dict[str, Any]) -> None:
        with self.lock:
            self.file.write(json.dumps(record) + "\n")
            if record["outcome"] != "ok":
                self.last_error = record["error"]
            self.count(record)

    def count(self, record: dict[str, Any]) -> None:
        """Called for each record, by one thread at a time."""
        self.counts[record["outcome"]] += 1

    def status(self) -> dict[str, Any]:
        """What stands in the status file; called by one thread at a time."""
        now = time.monotonic()
        waits = {worker: round(now - end, 3) for worker, end in self.last_ok.items()}
        return {"t_wall": time.time(), **self.counts, "waits": waits, "last_error": self.last_error, "broken": self.broken}

    def write_status(self) -> None:
        with self.lock:
            status = self.status()
        with open(self.status_path + ".new", "w") as file:  # noqa: PTH123 - one file without pathlib's start-up cost
            json.dump(status, file)
        os.replace(self.status_path + ".new", self.status_path)  # noqa: PTH105


class Worker(threading.Thread):
    """One client: does one attempt after the other, and counts them from `first_seq` of the configuration."""

    def __init__(self, name: str, config: dict[str, Any], log: Log, stop: threading.Event) -> None:
        super().__init__(name=name, daemon=True)
        self.config, self.log, self.stop = config, log, stop
        self.seq = int(config.get("first_seq", 0))
        self.stage = ""
        """What the attempt is at; told where it did not end well."""

    def work(self) -> None:
        """One attempt, and the pause after it."""
        raise NotImplementedError

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                self.work()
        except Exception as error:  # a probe that half works would measure half of the truth: all of it stops
            self.log.broken = f"{self.name}: {type(error).__name__}: {error}"
            self.stop.set()
            raise

    def begin(self, **words: Any) -> dict[str, Any]:
        """The record of an attempt that begins now."""
        return {"client": self.config["client"], "worker": self.name, "seq": self.seq, **words, "t_mono": time.monotonic(),
                "t_wall": time.time()}  # fmt: skip

    def finish(self, record: dict[str, Any], outcome: str, error: str) -> None:
        """How it ended, now, and its line."""
        record |= {"seconds": round(time.monotonic() - record["t_mono"], 6), "outcome": outcome}
        if outcome != "ok":
            record |= {"stage": self.stage, "error": error}
        self.log.add(record)


def run_workers(workers: Sequence[Worker], log: Log, stop: threading.Event, seconds: float, patience_seconds: float) -> int:
    """All workers until somebody says stop (SIGTERM, SIGINT, a broken worker) or the time is over.

    Whoever is at an attempt then may finish it within the patience. Exit code: 1 where a worker broke.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    for worker in workers:
        worker.start()
    end = time.monotonic() + seconds
    while not stop.wait(STATUS_PERIOD_SECONDS) and time.monotonic() < end:
        log.write_status()
    stop.set()
    for worker in workers:
        worker.join(timeout=patience_seconds)
    log.write_status()
    return 1 if log.broken else 0
