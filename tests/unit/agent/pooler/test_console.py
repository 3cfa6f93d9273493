"""PgBouncer's console, by a made-up PgBouncer on a real Unix socket."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from holdfast_agent.errors import DeadlineError, ResourceError
from holdfast_agent.pooler.console import Console

LOGIN = b"R" + struct.pack(">II", 8, 0) + b"Z" + struct.pack(">I", 5) + b"I"
DONE = b"C" + struct.pack(">I", 11) + b"RESUME\0" + b"Z" + struct.pack(">I", 5) + b"I"


def refusal(text: str) -> bytes:
    body = b"SERROR\0C08P01\0M" + text.encode() + b"\0\0"
    return b"E" + struct.pack(">I", len(body) + 4) + body


@contextmanager
def pgbouncer(directory: Path, answer: bytes) -> Iterator[list[bytes]]:
    """Answers one question; without an answer it stays silent. Yields what it heard."""
    heard: list[bytes] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(directory / ".s.PGSQL.6432"))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                heard.append(connection.recv(1024))
                connection.sendall(LOGIN)
                heard.append(connection.recv(1024))
                connection.sendall(answer)
                connection.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        yield heard


def test_logs_in_as_pgbouncer_and_resumes(tmp_path: Path) -> None:
    with pgbouncer(tmp_path, DONE) as heard:
        Console(str(tmp_path), 6432).resume()
    assert b"user\0pgbouncer\0database\0pgbouncer\0" in heard[0]
    assert heard[1][5:] == b"RESUME\0"


def test_resuming_what_is_not_paused_is_no_error(tmp_path: Path) -> None:
    with pgbouncer(tmp_path, refusal("pooler is not paused/suspended")):
        Console(str(tmp_path), 6432).resume()
    Console(str(tmp_path / "nobody"), 6432).resume()


def test_another_refusal_is_one(tmp_path: Path) -> None:
    with pgbouncer(tmp_path, refusal("no permission")), pytest.raises(ResourceError, match="no permission"):
        Console(str(tmp_path), 6432).reconnect()


def test_a_pause_that_waits_says_for_what(tmp_path: Path) -> None:
    with pgbouncer(tmp_path, b""), pytest.raises(DeadlineError, match="transactions are still under way"):
        Console(str(tmp_path), 6432).pause(time.monotonic() + 0.3)
