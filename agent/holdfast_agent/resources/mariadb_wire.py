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
_COM_QUIT, _COM_QUERY = b"\x01", b"\x03"
_OK, _AUTHENTICATION_SWITCH, _ERROR = 0x00, 0xFE, 0xFF
# "Text Resultset": what stands for a null, and the packet that ends the columns and the rows, shorter than any row like it.
_NULL, _END, _LONGEST_END = 0xFB, 0xFE, 8
# "Length-encoded integer": how many bytes follow each first byte.
_INTEGER_BYTES = {0xFC: 2, 0xFD: 3, 0xFE: 8}


def run_query(socket_path: str, query: str, deadline: float) -> list[list[str | None]]:
    """Run one query and return its rows as text; raises DeadlineError or ResourceError.

    Reads to the end and says goodbye: the server would note every other end of a connection in its log, once a second.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        session = _Session(connection, deadline)
        try:
            session.connect(socket_path)
            session.log_in("root")
            rows = session.query(query)
            session.quit()
            return rows
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

    def query(self, text: str) -> list[list[str | None]]:
        """The number of columns, their definitions, an end, the rows, an end."""
        self._sequence = 0
        self._send(_COM_QUERY + text.encode())
        _refuse_error(self._receive())
        while not _is_end(self._receive()):
            continue
        rows = []
        while not _is_end(packet := self._receive()):
            _refuse_error(packet)
            rows.append(_parse_row(packet))
        return rows

    def quit(self) -> None:
        """The server closes the connection; nothing is answered."""
        self._sequence = 0
        self._send(_COM_QUIT)

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


def _is_end(payload: bytes) -> bool:
    return payload[0] == _END and len(payload) <= _LONGEST_END


def _parse_row(payload: bytes) -> list[str | None]:
    """Length-encoded texts, one after the other."""
    offset, row = 0, list[str | None]()
    while offset < len(payload):
        first = payload[offset]
        offset += 1
        if first == _NULL:
            row.append(None)
            continue
        more = _INTEGER_BYTES.get(first, 0)
        length = int.from_bytes(payload[offset : offset + more], "little") if more else first
        offset += more
        row.append(payload[offset : offset + length].decode("utf-8", "replace"))
        offset += length
    return row


def _refuse_error(payload: bytes) -> None:
    """ERR packet: code, then "#" with five characters of SQL state, then the text."""
    if payload[0] != _ERROR:
        return
    (code,) = struct.unpack_from("<H", payload, 1)
    text = payload[3:].decode("utf-8", "replace")
    raise ResourceError(f"MariaDB: error {code}: {text[6:] if text.startswith('#') else text}")
