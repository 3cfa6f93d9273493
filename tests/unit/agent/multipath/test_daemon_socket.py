"""multipathd's socket protocol against a made-up daemon."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from holdfast_agent.errors import MultipathError
from holdfast_agent.multipath.daemon_socket import MultipathDaemon, encode_command
from holdfast_agent.multipath.reservation_key import clear_map_key, set_map_key

LENGTH = struct.Struct("@N")


@contextmanager
def daemon(path: Path, answers: dict[str, str]) -> Iterator[list[str]]:
    """A daemon that answers known commands, "fail" otherwise; yields what it was asked."""
    asked: list[str] = []
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                (length,) = LENGTH.unpack(connection.recv(LENGTH.size))
                command = connection.recv(length).rstrip(b"\0").decode()
                asked.append(command)
                reply = answers.get(command, "fail\n").encode() + b"\0"
                connection.sendall(LENGTH.pack(len(reply)) + reply)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def test_a_command_counts_its_final_nul() -> None:
    assert encode_command("list maps") == LENGTH.pack(10) + b"list maps\0"


def test_the_key_is_set_verified_and_switched_on(tmp_path: Path) -> None:
    answers = {
        "setprkey map erp-data key 0x8abcdef001000007:aptpl": "ok\n",
        "getprkey map erp-data": "0x8abcdef001000007:aptpl\n",
        "setprstatus map erp-data": "ok\n",
    }
    with daemon(tmp_path / "socket", answers) as asked:
        set_map_key(MultipathDaemon(str(tmp_path / "socket")), "erp-data", 0x8ABCDEF001000007)
    assert asked == list(answers)


@pytest.mark.parametrize("kept", ["none\n", "0x1:aptpl\n"])
def test_a_key_that_was_not_taken_is_an_error(tmp_path: Path, kept: str) -> None:
    answers = {"setprkey map m key 0x2:aptpl": "ok\n", "getprkey map m": kept}
    with daemon(tmp_path / "socket", answers), pytest.raises(MultipathError, match="reservation_key file"):
        set_map_key(MultipathDaemon(str(tmp_path / "socket")), "m", 2)


def test_giving_up_keys_ends_the_watch_first(tmp_path: Path) -> None:
    with daemon(tmp_path / "socket", {"unsetprstatus map m": "ok\n", "unsetprkey map m": "ok\n"}) as asked:
        clear_map_key(MultipathDaemon(str(tmp_path / "socket")), "m")
    assert asked == ["unsetprstatus map m", "unsetprkey map m"]


def test_a_refusal_and_a_missing_daemon_are_told(tmp_path: Path) -> None:
    with daemon(tmp_path / "socket", {}), pytest.raises(MultipathError, match="refused"):
        MultipathDaemon(str(tmp_path / "socket")).ask("nonsense")
    with pytest.raises(MultipathError, match="does not answer"):
        MultipathDaemon(str(tmp_path / "nobody")).ask("list maps")
