"""Opening a connection: an address that nobody has is given up after the TCP deadline, not after the server's."""

from __future__ import annotations

import enum
import os
import sys
import time
import types
from collections.abc import Iterator

import pytest

from holdfast.probe.attempts import NoAnswer
from holdfast.probe.client_postgresql import Connection


class Polling(enum.IntEnum):
    FAILED, READING, WRITING, OK = range(4)


class Status(enum.IntEnum):
    OK, BAD, STARTED, MADE = range(4)


class Unanswered:
    """What libpq does with an address that swallows packets: asked too early, it takes the connection for made."""

    def __init__(self, descriptor: int) -> None:
        self.socket, self.status, self.error_message = descriptor, Status.STARTED, b""

    def connect_poll(self) -> Polling:
        self.status = Status.MADE
        return Polling.WRITING

    def finish(self) -> None:
        return


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The module of the driver, with a connection that never becomes writable."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    while True:
        try:
            os.write(writer, bytes(65536))
        except BlockingIOError:
            break
    conn = types.SimpleNamespace(connect_start=lambda conninfo: Unanswered(writer))
    pq = types.SimpleNamespace(PGconn=conn, PollingStatus=Polling, ConnStatus=Status)
    monkeypatch.setitem(sys.modules, "psycopg", types.SimpleNamespace(pq=pq, OperationalError=OSError))
    yield
    os.close(reader)
    os.close(writer)


def test_an_address_that_nobody_has_is_given_up_soon(nobody: None) -> None:
    begun = time.monotonic()
    with pytest.raises(NoAnswer, match="deadline passed"):
        Connection("host=nobody", tcp_seconds=0.05, seconds=5.0)
    assert time.monotonic() - begun < 2.0
