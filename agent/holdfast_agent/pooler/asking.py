"""The nodes' side: ask one gate one thing, within a deadline. Runs in a child of the agent."""

from __future__ import annotations

import socket
import time

from ..errors import DeadlineError, HoldfastError
from .message import MAXIMUM_LINE_BYTES, Answer, Question, decode_answer, encode_question


class PoolerError(HoldfastError):
    """A pooler's gate could not be asked, or said no."""


def ask_gate(address: tuple[str, int], key: bytes, question: Question, deadline: float) -> Answer:
    """Ask, and return the answer, whatever it is.

    Raises DeadlineError, PoolerError where there is no gate, GateMessageError where it is not ours.
    """
    try:
        with socket.create_connection(address, timeout=_remaining(deadline)) as connection:
            nonce = _read_line(connection, deadline).strip()
            connection.sendall(encode_question(question, key, nonce))
            return decode_answer(_read_line(connection, deadline), key, nonce)
    except TimeoutError as error:
        raise DeadlineError("the pooler did not answer in time") from error
    except OSError as error:
        raise PoolerError(f"the pooler cannot be asked: {error.strerror or error}") from error


def ask_until_agreed(address: tuple[str, int], key: bytes, question: Question, deadline: float) -> str:
    """The reason of a good answer; PoolerError with the reason of any other."""
    answer = ask_gate(address, key, question, deadline)
    if not answer.ok:
        raise PoolerError(answer.reason)
    return answer.reason


def _read_line(connection: socket.socket, deadline: float) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        connection.settimeout(_remaining(deadline))
        chunk = connection.recv(MAXIMUM_LINE_BYTES)
        if not chunk or len(line) > MAXIMUM_LINE_BYTES:
            raise PoolerError("the pooler's gate closed the connection; is this node one that it knows?")
        line += chunk
    return line


def _remaining(deadline: float) -> float:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise DeadlineError("the pooler did not answer in time")
    return remaining
