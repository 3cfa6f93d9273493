"""One query over MariaDB's unix socket as root with the unix_socket plugin (MariaDB client/server protocol 4.1).

Debian's MariaDB lets the system user root in as the database user root without a password; nothing else is needed.
"""

from __future__ import annotations

import socket
import struct
import time

from ..errors import DeadlineError, ResourceError

# Client/server protocol, "Capabilities": PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH; utf8mb4_general_ci.
_CAPABILITIES = 0x00000200 | 0x00008000 | 0x00080000
_CHARACTER_SET = 45
_MAXIMUM_PACKET = 1 << 24
_COM_QUERY = b"\x03"
_OK, _AUTHENTICATION_SWITCH, _ERROR = 0x00, 0xFE, 0xFF


def run_statement(socket_path: str, statement: str, deadline: float) -> None:
    """Run one statement and make sure that the server accepted it; raises DeadlineError or ResourceError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        session = _Session(connection, deadline)
        try:
            session.connect(socket_path)
            session.log_in("root")
            session.execute(statement)
        except TimeoutError as error:
            raise DeadlineError("MariaDB did not answer in time") from error
        except OSError as error:
            raise ResourceError(f"MariaDB does not accept connections: {error.strerror}") from error


class _Session:
    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._socket, self._deadline = connection, deadline
        self._sequence = 0

    def connect(self, path: str) -> None:
        self._limit()
        self._socket.connect(path)
        _refuse_error(self._receive())

    def log_in(self, user: str) -> None:
        """Handshake response without a password; the server may ask once more for the plugin's empty answer."""
        response = struct.pack("<IIB23x", _CAPABILITIES, _MAXIMUM_PACKET, _CHARACTER_SET)
        self._send(response + user.encode() + b"\0" + b"\0" + b"unix_socket\0")
        reply = self._receive()
        if reply[0] == _AUTHENTICATION_SWITCH:
            self._send(b"")
            reply = self._receive()
        _refuse_error(reply)
        if reply[0] != _OK:
            raise ResourceError("MariaDB wants a password: root@localhost must use the unix_socket plugin")

    def execute(self, statement: str) -> None:
        """The first packet of the answer says whether the statement was accepted and has produced its result."""
        self._sequence = 0
        self._send(_COM_QUERY + statement.encode())
        _refuse_error(self._receive())

    def _send(self, payload: bytes) -> None:
        self._limit()
        self._socket.sendall(len(payload).to_bytes(3, "little") + bytes([self._sequence]) + payload)
        self._sequence += 1

    def _receive(self) -> bytes:
        header = self._read(4)
        self._sequence = header[3] + 1
        payload = self._read(int.from_bytes(header[:3], "little"))
        if not payload:
            raise ResourceError("MariaDB sent an empty packet")
        return payload

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            self._limit()
            chunk = self._socket.recv(count - len(data))
            if not chunk:
                raise ResourceError("MariaDB closed the connection")
            data += chunk
        return data

    def _limit(self) -> None:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise DeadlineError("MariaDB did not answer in time")
        self._socket.settimeout(remaining)


def _refuse_error(payload: bytes) -> None:
    """ERR packet: code, then "#" with five characters of SQL state, then the text."""
    if payload[0] != _ERROR:
        return
    (code,) = struct.unpack_from("<H", payload, 1)
    text = payload[3:].decode("utf-8", "replace")
    raise ResourceError(f"MariaDB: error {code}: {text[6:] if text.startswith('#') else text}")
