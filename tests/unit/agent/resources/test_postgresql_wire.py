"""PostgreSQL's protocol against a made-up server on a real socket."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from holdfast_agent.errors import DeadlineError, ResourceError
from holdfast_agent.resources.postgresql_wire import Database, run_query

OK = b"R" + struct.pack(">II", 8, 0)
PASSWORD = b"R" + struct.pack(">II", 8, 3)
READY = b"Z" + struct.pack(">I", 5) + b"I"
ROW = b"D" + struct.pack(">IHI", 11, 1, 1) + b"1"
NULL_ROW = b"D" + struct.pack(">IHi", 10, 1, -1)
COMPLETE = b"C" + struct.pack(">I", 13) + b"SELECT 1\0"


def error(text: str) -> bytes:
    body = b"SFATAL\0C57P03\0M" + text.encode() + b"\0\0"
    return b"E" + struct.pack(">I", len(body) + 4) + body


@contextmanager
def server(directory: Path, login: bytes, answer: bytes) -> Iterator[Database]:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(directory / ".s.PGSQL.5432"))
    listener.listen()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1024)
            connection.sendall(login)
            if connection.recv(1024):
                connection.sendall(answer)
                connection.recv(1)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield Database(str(directory), 5432, "postgres", os.geteuid())
    listener.close()


def soon() -> float:
    return time.monotonic() + 2


def test_rows_and_nulls(tmp_path: Path) -> None:
    with server(tmp_path, OK + READY, ROW + NULL_ROW + COMPLETE + READY) as database:
        assert run_query(database, "SELECT 1", soon()) == [["1"], [None]]


@pytest.mark.parametrize("login", [error("the database system is starting up"), PASSWORD])
def test_refused_logins_say_why(tmp_path: Path, login: bytes) -> None:
    with server(tmp_path, login, b"") as database, pytest.raises(ResourceError, match=r"starting up|peer"):
        run_query(database, "SELECT 1", soon())


def test_a_failed_query_says_why(tmp_path: Path) -> None:
    with server(tmp_path, OK + READY, error("out of memory")) as database, pytest.raises(ResourceError, match="FATAL: out of"):
        run_query(database, "SELECT 1", soon())


def test_a_silent_server_is_a_deadline(tmp_path: Path) -> None:
    with server(tmp_path, OK, b"") as database, pytest.raises(DeadlineError):
        run_query(database, "SELECT 1", time.monotonic() + 0.1)


def test_nobody_there_is_a_reason(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="does not accept"):
        run_query(Database(str(tmp_path), 5432, "postgres", os.geteuid()), "SELECT 1", soon())
