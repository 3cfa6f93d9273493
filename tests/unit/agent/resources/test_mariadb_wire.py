"""MariaDB's protocol against a made-up server on a real socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from holdfast_agent.errors import DeadlineError, ResourceError
from holdfast_agent.resources.mariadb_wire import run_statement

GREETING = b"\x0a11.8.3-MariaDB\0" + bytes(40)
OK = b"\0\0\0\2\0\0\0"
SWITCH = b"\xfeunix_socket\0"
RESULT = b"\1"
DENIED = b"\xff" + (1698).to_bytes(2, "little") + b"#28000Access denied for user 'root'@'localhost'"


def packet(sequence: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([sequence]) + payload


@contextmanager
def server(directory: Path, *answers: bytes) -> Iterator[str]:
    """Sends the first answer at once and each further one after a packet of the client."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(directory / "socket"))
    listener.listen()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            for number, answer in enumerate(answers):
                if number:
                    header = connection.recv(4, socket.MSG_WAITALL)
                    connection.recv(int.from_bytes(header[:3], "little"), socket.MSG_WAITALL)
                connection.sendall(packet(2 * number, answer))
            while connection.recv(100):
                continue

    threading.Thread(target=serve, daemon=True).start()
    yield str(directory / "socket")
    listener.close()


def soon() -> float:
    return time.monotonic() + 2


@pytest.mark.parametrize("answers", [(GREETING, OK, RESULT), (GREETING, SWITCH, OK, RESULT), (GREETING, OK, OK)])
def test_an_accepted_statement(tmp_path: Path, answers: tuple[bytes, ...]) -> None:
    with server(tmp_path, *answers) as path:
        run_statement(path, "SELECT 1", soon())


@pytest.mark.parametrize("answers", [(DENIED,), (GREETING, DENIED), (GREETING, OK, DENIED)])
def test_a_refusal_at_any_step_says_why(tmp_path: Path, answers: tuple[bytes, ...]) -> None:
    with server(tmp_path, *answers) as path, pytest.raises(ResourceError, match="1698: Access denied"):
        run_statement(path, "SELECT 1", soon())


def test_a_password_question_is_a_configuration_error(tmp_path: Path) -> None:
    with server(tmp_path, GREETING, b"\2abc") as path, pytest.raises(ResourceError, match="unix_socket plugin"):
        run_statement(path, "SELECT 1", soon())


def test_a_silent_server_is_a_deadline(tmp_path: Path) -> None:
    with server(tmp_path, GREETING) as path, pytest.raises(DeadlineError):
        run_statement(path, "SELECT 1", time.monotonic() + 0.1)


def test_nobody_there_is_a_reason(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="does not accept"):
        run_statement(str(tmp_path / "nobody"), "SELECT 1", soon())
