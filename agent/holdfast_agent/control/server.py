"""The agent's side of the control socket; never blocks and never waits for a client."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..daemon.loop import Loop
from .protocol import SOCKET_PATH, Request, RequestError, decode_request, encode

# A request is some hundred bytes.
_MAXIMUM_REQUEST = 4096
_BACKLOG = 16


class Asker:
    """Whoever asked: gets his answer once, and may have left before it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def answer(self, answer: dict[str, Any]) -> None:
        """Send it and hang up."""
        try:
            self._connection.sendall(encode(answer))
        except OSError:
            # He left before the answer; what he asked for has been done all the same.
            return
        finally:
            self._connection.close()

    def has_left(self) -> bool:
        """Whether the other side has closed the connection, as it does when a person gives up waiting."""
        try:
            return self._connection.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True


Handle = Callable[[Request, Asker], None]


class ControlServer:
    """Accepts requests and answers each once."""

    def __init__(self, loop: Loop, handle: Handle, path: Path = SOCKET_PATH) -> None:
        self._loop, self._handle = loop, handle
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        # Root alone: the mode is there before anybody can connect.
        previous = os.umask(0o177)
        try:
            self._socket.bind(str(path))
        finally:
            os.umask(previous)
        self._socket.listen(_BACKLOG)
        loop.watch(self._socket.fileno(), self._accept)

    def _accept(self) -> None:
        connection, _ = self._socket.accept()
        connection.setblocking(False)
        received = bytearray()
        self._loop.watch(connection.fileno(), lambda: self._receive(connection, received))

    def _receive(self, connection: socket.socket, received: bytearray) -> None:
        try:
            chunk = connection.recv(_MAXIMUM_REQUEST)
        except OSError:
            chunk = b""
        received += chunk
        if chunk and b"\n" not in received and len(received) < _MAXIMUM_REQUEST:
            return
        self._loop.unwatch(connection.fileno())
        self._serve(connection, bytes(received))

    def _serve(self, connection: socket.socket, line: bytes) -> None:
        asker = Asker(connection)
        try:
            self._handle(decode_request(line), asker)
        except RequestError as error:
            asker.answer({"ok": False, "reason": str(error)})
