"""Ask a running lab's supervisor."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from holdfast.lab.errors import LabError, UsageError
from holdfast.lab.sockets import connect

ANSWER_SECONDS = 30.0
ENDED = "the lab ended while it was asked"


def _answer(message: bytes) -> Any:
    if not message:
        raise LabError(ENDED)
    answer = json.loads(message)
    if "error" in answer:
        raise (UsageError if answer.get("exit_code") == UsageError.exit_code else LabError)(answer["error"])
    return answer.get("result")


def _send(control: Path, request: dict[str, Any]) -> socket.socket:
    try:
        connection = connect(control, ANSWER_SECONDS)
    except OSError as error:
        raise LabError(f"the lab '{control.parent.name}' is not up; start it with: holdfast lab up "
                       f"--name {control.parent.name}") from error
    try:
        connection.sendall(json.dumps(request).encode() + b"\n")
    except OSError as error:
        connection.close()
        raise LabError(ENDED) from error
    return connection


def ask(control: Path, verb: str, **words: Any) -> Any:
    """The supervisor's answer to one request; LabError with its sentence when it refuses."""
    with _send(control, {"verb": verb, **words}) as connection:
        try:
            line = connection.makefile("rb").readline()
        except TimeoutError as error:
            raise LabError(f"the lab '{control.parent.name}' did not answer within {ANSWER_SECONDS:.0f} s") from error
        except ConnectionError:
            line = b""
        return _answer(line)


def ask_for_descriptor(control: Path, verb: str, **words: Any) -> socket.socket:
    """A connection that the supervisor made: to a port of a node (verb connect) or to its console."""
    with _send(control, {"verb": verb, **words}) as connection:
        try:
            message, descriptors, _, _ = socket.recv_fds(connection, 65536, 1)
        except ConnectionError as error:
            raise LabError(ENDED) from error
        _answer(message)
        return socket.socket(fileno=descriptors[0])
