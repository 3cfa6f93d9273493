"""A node and a gate over real sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from holdfast_agent.errors import DeadlineError
from holdfast_agent.pooler.answering import wait_until_answers
from holdfast_agent.pooler.asking import PoolerError, ask_gate, ask_until_agreed
from holdfast_agent.pooler.message import SERVE, STATUS, Answer, GateMessageError, Question
from holdfast_agent.pooler.server import Caller, GateServer

KEY = b"key"


class FixedGate:
    """Always says the same."""

    def __init__(self, answer: Answer) -> None:
        self.fixed, self.watched = answer, 0

    def answer(self, question: Question) -> Answer:
        return self.fixed

    def watch(self) -> None:
        self.watched += 1


@contextmanager
def serving(answer: Answer, callers: frozenset[str] = frozenset({"127.0.0.1"})) -> Iterator[GateServer]:
    server = GateServer(("127.0.0.1", 0), FixedGate(answer), Caller(callers, KEY), lambda text: None)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def soon() -> float:
    return time.monotonic() + 20.0


def address(server: GateServer) -> tuple[str, int]:
    return ("127.0.0.1", server.server_address[1])


def test_a_good_answer_and_a_bad_one() -> None:
    with serving(Answer(True, "serving")) as server:
        assert ask_until_agreed(address(server), KEY, Question(SERVE, 1), soon()) == "serving"
    with serving(Answer(False, "busy")) as server, pytest.raises(PoolerError, match="busy"):
        ask_until_agreed(address(server), KEY, Question(SERVE, 1), soon())


def test_another_key_gets_no_answer() -> None:
    with serving(Answer(True, "serving")) as server, pytest.raises(PoolerError, match="closed the connection"):
        ask_gate(address(server), b"other", Question(STATUS), soon())


def test_a_stranger_is_not_talked_to() -> None:
    with serving(Answer(True, "serving"), frozenset({"192.0.2.1"})) as server, pytest.raises((PoolerError, GateMessageError)):
        ask_gate(address(server), KEY, Question(STATUS), soon())


def test_nobody_there() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(PoolerError, match="cannot be asked"):
            ask_gate(unused.getsockname(), KEY, Question(STATUS), soon())


def test_a_gate_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(DeadlineError):
        ask_gate(silent.getsockname(), KEY, Question(STATUS), time.monotonic() + 0.1)


def test_the_hold_is_watched_while_nobody_asks() -> None:
    with serving(Answer(True, "serving")) as server:
        end = soon()
        while not server.gate.watched and time.monotonic() < end:  # type: ignore[attr-defined]
            time.sleep(0.01)
        assert server.gate.watched  # type: ignore[attr-defined]


def answer_once(server: socket.socket, word: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(8)
        connection.sendall(word)


@pytest.mark.parametrize(("word", "expected"), [(b"S", True), (b"N", True), (b"H", False)])
def test_a_server_is_known_by_its_answer(word: bytes, expected: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer_once, args=(server, word), daemon=True).start()
        assert wait_until_answers(server.getsockname(), time.monotonic() + (20.0 if expected else 0.1)) is expected
