"""multipathd's command socket, spoken without the multipath tools.

Protocol (libmpathcmd of multipath-tools 0.9.4 and 0.11.1, unchanged between them): a native size_t length that counts
the final NUL, then the text; the reply has the same form. "fail" as the whole reply means that the command failed.
"""

from __future__ import annotations

import socket
import struct

from ..errors import MultipathError

# libmpathcmd/mpath_cmd.h: DEFAULT_SOCKET, in the abstract namespace and without trailing NUL; DEFAULT_REPLY_TIMEOUT.
SOCKET_ADDRESS = "\0/org/kernel/linux/storage/multipathd"
REPLY_TIMEOUT_SECONDS = 4.0
# libmpathcmd/mpath_cmd.h: MAX_REPLY_LEN.
_MAXIMUM_REPLY_BYTES = 32 * 1024 * 1024
_LENGTH = struct.Struct("@N")


class MultipathDaemon:
    """Sends commands to a running multipathd; one connection per command, as its own client does."""

    def __init__(self, address: str = SOCKET_ADDRESS, timeout_seconds: float = REPLY_TIMEOUT_SECONDS) -> None:
        self._address = address
        self._timeout = timeout_seconds

    def ask(self, command: str) -> str:
        """Send one command and return its reply; raises MultipathError where it is refused or not answered."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(self._timeout)
                connection.connect(self._address)
                connection.sendall(encode_command(command))
                reply = _receive_reply(connection)
        except OSError as error:
            raise MultipathError(f"multipathd does not answer: {error}", command=command) from error
        if reply.strip() in ("fail", "timeout") or reply.startswith("permission deny"):
            raise MultipathError(f"multipathd refused: {reply.strip()}", command=command)
        return reply


def encode_command(command: str) -> bytes:
    """Length-prefixed form of a command."""
    text = command.encode() + b"\0"
    return _LENGTH.pack(len(text)) + text


def _receive_reply(connection: socket.socket) -> str:
    (length,) = _LENGTH.unpack(_receive_exactly(connection, _LENGTH.size))
    if not 0 < length < _MAXIMUM_REPLY_BYTES:
        raise MultipathError(f"multipathd announced a reply of {length} bytes")
    return _receive_exactly(connection, length).rstrip(b"\0").decode("utf-8", "replace")


def _receive_exactly(connection: socket.socket, count: int) -> bytes:
    chunks = b""
    while len(chunks) < count:
        chunk = connection.recv(count - len(chunks))
        if not chunk:
            raise MultipathError("multipathd closed the connection in the middle of a reply")
        chunks += chunk
    return chunks
