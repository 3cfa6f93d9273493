"""Method calls to systemd over its private socket, which works without the message bus and for root only."""

from __future__ import annotations

import os
import socket
import struct
from types import TracebackType
from typing import Any

from ..errors import UnitError
from .wire import Reader, Writer

SOCKET_PATH = "/run/systemd/private"
# D-Bus specification: message types and header fields.
_METHOD_CALL, _METHOD_RETURN, _ERROR = 1, 2, 3
_PATH, _INTERFACE, _MEMBER, _ERROR_NAME, _REPLY_SERIAL, _DESTINATION, _SIGNATURE = 1, 2, 3, 4, 5, 6, 8
_FIXED_HEADER_BYTES = 16


class SystemdBus:
    """One connection; used by one thread, closed after use."""

    def __init__(self, timeout_seconds: float, path: str = SOCKET_PATH) -> None:
        self._serial = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_seconds)
        try:
            self._socket.connect(path)
            self._authenticate()
        except OSError as error:
            self._socket.close()
            raise UnitError(f"systemd does not answer on {path}: {error}") from error

    def __enter__(self) -> SystemdBus:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._socket.close()

    def call(
        self, path: str, interface: str, member: str, signature: str = "", arguments: tuple[Any, ...] = ()
    ) -> list[Any]:
        """Call a method and return its results; raises UnitError with systemd's own words where it refuses."""
        self._serial += 1
        try:
            self._socket.sendall(_encode_call(self._serial, path, interface, member, signature, arguments))
            while True:
                kind, fields, body = self._receive()
                if fields.get(_REPLY_SERIAL) == self._serial:
                    break
        except OSError as error:
            raise UnitError(f"systemd did not answer {member}: {error}", member=member) from error
        values = Reader(body).read_all(fields.get(_SIGNATURE, ""))
        if kind == _ERROR:
            raise UnitError(f"{member}: {values[0] if values else ''}", error=fields.get(_ERROR_NAME, ""))
        return values

    def _authenticate(self) -> None:
        """SASL EXTERNAL with our own user id, D-Bus specification "Authentication Protocol".

        BEGIN goes out with the first line, as systemd's own client does it: a message that reaches systemd in one piece
        with BEGIN stays unread there until more comes (seen with systemd 257: every second call hung).
        """
        identity = str(os.geteuid()).encode().hex().encode()
        self._socket.sendall(b"\0AUTH EXTERNAL " + identity + b"\r\nBEGIN\r\n")
        reply = self._socket.recv(512)
        if not reply.startswith(b"OK"):
            raise UnitError(f"systemd refused us: {reply.decode('ascii', 'replace').strip()}")

    def _receive(self) -> tuple[int, dict[int, Any], bytes]:
        fixed = self._read(_FIXED_HEADER_BYTES)
        _, kind, _, _, body_bytes, _, fields_bytes = struct.unpack("<4B3I", fixed)
        padded = fields_bytes + -fields_bytes % 8
        # The field array is aligned relative to the whole message: the fixed part is exactly two alignments long.
        fields = Reader(struct.pack("<I", fields_bytes) + b"\0" * 4 + self._read(padded)).read("a(yv)")
        return kind, dict(fields), self._read(body_bytes)

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            chunk = self._socket.recv(count - len(data))
            if not chunk:
                raise UnitError("systemd closed the connection")
            data += chunk
        return data


def _encode_call(
    serial: int, path: str, interface: str, member: str, signature: str, arguments: tuple[Any, ...]
) -> bytes:
    body = Writer()
    body.write_all(signature, arguments)
    fields = [
        (_PATH, ("o", path)),
        (_INTERFACE, ("s", interface)),
        (_MEMBER, ("s", member)),
        (_DESTINATION, ("s", "org.freedesktop.systemd1")),
    ]
    if signature:
        fields.append((_SIGNATURE, ("g", signature)))
    header = Writer()
    header.write_all("yyyyuua(yv)", (ord("l"), _METHOD_CALL, 0, 1, len(body.data), serial, fields))
    header.align(8)
    return bytes(header.data + body.data)
