"""One request to the agent of this node."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import HoldfastError
from .protocol import SOCKET_PATH, Request, encode


class NoAgentError(HoldfastError):
    """No agent answers on this node."""


def ask_agent(request: Request, timeout_seconds: float, path: Path = SOCKET_PATH) -> dict[str, Any]:
    """Send a request and wait for the answer; raises NoAgentError."""
    message = asdict(request)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout_seconds)
            connection.connect(str(path))
            connection.sendall(encode(message))
            line = connection.makefile("rb").readline()
    except TimeoutError as error:
        raise NoAgentError(f"no answer within {timeout_seconds:g} s; the command may still be carried out") from error
    except OSError as error:
        raise NoAgentError(f"no agent answers on this node ({error.strerror}); is holdfast-agent.service running?") from error
    if not line:
        raise NoAgentError("the agent closed the connection without an answer")
    answer: dict[str, Any] = json.loads(line)
    return answer
