"""Messages between the agent and its children: one pickled object per packet on a private socket pair.

Both ends are the same program started by the agent itself, over a socket that nobody else can open; that is what
makes pickle acceptable here.
"""

from __future__ import annotations

import pickle
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# A whole reply (status of every path, an error text) stays far below; the kernel's default packet limit is above 200 KiB.
MAXIMUM_PACKET_BYTES = 128 * 1024


@dataclass(frozen=True)
class Job:
    """Call ``function(*arguments)`` in the child. The function is a module-level one and travels by its name."""

    number: int
    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True)
class JobEnd:
    """How a job ended: its value, or the kind, text and details of the error."""

    number: int
    value: Any = None
    error_kind: str | None = None
    error_text: str = ""
    error_details: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the function returned."""
        return self.error_kind is None


def make_pair() -> tuple[socket.socket, socket.socket]:
    """A socket pair that keeps packet borders and reports the end of the other side."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)


def send_message(connection: socket.socket, message: object) -> None:
    """Send one object."""
    connection.send(pickle.dumps(message))


def receive_message(connection: socket.socket) -> Any:
    """Receive one object; raises EOFError where the other side is gone."""
    packet = connection.recv(MAXIMUM_PACKET_BYTES)
    if not packet:
        raise EOFError("the other side is gone")
    return pickle.loads(packet)
