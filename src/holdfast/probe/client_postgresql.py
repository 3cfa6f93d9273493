"""PostgreSQL's side of the probe (client.py), through libpq, which the distribution's python3-psycopg brings.

Every wait has its own deadline, counted by the monotonic clock; libpq's own connect_timeout has whole seconds only and
is not used.
"""

from __future__ import annotations

import importlib
import select
import time
from typing import Any

from holdfast.probe.attempts import NoAnswer, Refused


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
