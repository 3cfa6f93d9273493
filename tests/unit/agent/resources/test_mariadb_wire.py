"""MariaDB's protocol against a made-up server on a real socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from holdfast_agent.errors import DeadlineError, ResourceError
from holdfast_agent.resources.mariadb_wire import run_query

GREETING = b"\x0a11.8.3-MariaDB\0" + bytes(40)
OK = b"\0\0\0\2\0\0\0"
SWITCH = b"\xfeunix_socket\0"
DENIED = b"\xff" + (1698).to_bytes(2, "little") + b"#28000Access denied for user 'root'@'localhost'"
ONE_COLUMN, COLUMN, END = b"\1", b"\3def" + b"\0" * 20, b"\xfe\0\0\2\0"
ONE = (COLUMN, END, b"\x011", END)
QUIT = b"\1\0\0\0\1"
LONG = b"x" * 300


def packet(sequence: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([sequence]) + payload


@contextmanager
def server(directory: Path, *answers: bytes, rows: tuple[bytes, ...] = ()) -> Iterator[str]:
    """Sends the first answer at once and each further one after a packet of the client; the rows follow the last one."""
    with talkative_server(directory, *answers, rows=rows) as (path, _):
        yield path


@contextmanager
def talkative_server(directory: Path, *answers: bytes, rows: tuple[bytes, ...]) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """As above; the function waits for the end of the connection and returns what came after the rows."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(directory / "socket"))
    listener.listen()
    last = bytearray()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            for number, answer in enumerate(answers):
                if number:
                    header = connection.recv(4, socket.MSG_WAITALL)
                    connection.recv(int.from_bytes(header[:3], "little"), socket.MSG_WAITALL)
                connection.sendall(packet(2 * number, answer))
            connection.sendall(b"".join(packet(number, row) for number, row in enumerate(rows)))
            while chunk := connection.recv(100):
                last.extend(chunk)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()

    def wait() -> bytes:
        thread.join(2)
        return bytes(last)

    yield str(directory / "socket"), wait
    listener.close()


def soon() -> float:
    return time.monotonic() + 2


@pytest.mark.parametrize("answers", [(GREETING, OK, ONE_COLUMN), (GREETING, SWITCH, OK, ONE_COLUMN)])
def test_an_answer_is_read_to_its_end_and_the_connection_ended_in_order(tmp_path: Path, answers: tuple[bytes, ...]) -> None:
    with talkative_server(tmp_path, *answers, rows=ONE) as (path, last_words):
        assert run_query(path, "SELECT 1", soon()) == [["1"]]
        assert last_words() == QUIT


@pytest.mark.parametrize("answers", [(DENIED,), (GREETING, DENIED), (GREETING, OK, DENIED)])
def test_a_refusal_at_any_step_says_why(tmp_path: Path, answers: tuple[bytes, ...]) -> None:
    with server(tmp_path, *answers) as path, pytest.raises(ResourceError, match="1698: Access denied"):
        run_query(path, "SELECT 1", soon())


def test_a_password_question_is_a_configuration_error(tmp_path: Path) -> None:
    with server(tmp_path, GREETING, b"\2abc") as path, pytest.raises(ResourceError, match="unix_socket plugin"):
        run_query(path, "SELECT 1", soon())


def test_a_silent_server_is_a_deadline(tmp_path: Path) -> None:
    with server(tmp_path, GREETING) as path, pytest.raises(DeadlineError):
        run_query(path, "SELECT 1", time.monotonic() + 0.1)


def test_nobody_there_is_a_reason(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="does not accept"):
        run_query(str(tmp_path / "nobody"), "SELECT 1", soon())


@pytest.mark.parametrize(
    ("rows", "read"),
    [
        ((END,), []),
        ((b"\3erp\x0242\xfb", END), [["erp", "42", None]]),
        ((b"\xfc" + (300).to_bytes(2, "little") + LONG, b"\xfe" + (300).to_bytes(8, "little") + LONG, END),
         [[LONG.decode()], [LONG.decode()]]),
    ],
)  # fmt: skip
def test_rows_and_nulls(tmp_path: Path, rows: tuple[bytes, ...], read: list[list[str | None]]) -> None:
    with server(tmp_path, GREETING, OK, b"\3", rows=(COLUMN, COLUMN, COLUMN, END, *rows)) as path:
        assert run_query(path, "SELECT 1", soon()) == read


def test_a_query_that_breaks_off_between_its_rows_says_why(tmp_path: Path) -> None:
    rows = (COLUMN, END, b"\1x", DENIED)
    with server(tmp_path, GREETING, OK, ONE_COLUMN, rows=rows) as path, pytest.raises(ResourceError, match="1698: Access denied"):
        run_query(path, "SELECT 1", soon())
