"""Does a PostgreSQL server answer at an address? Asked without an account: a server answers SSLRequest before anything else."""

from __future__ import annotations

import socket
import struct

from ..waiting import wait_for

# Protocol documentation, "SSLRequest": length 8 and the code 1234 5679; the answer is S or N.
_SSL_REQUEST = struct.pack(">II", 8, 80877103)
_TRY_SECONDS, _PAUSE_SECONDS = 0.3, 0.02


def wait_until_answers(address: tuple[str, int], deadline: float) -> bool:
    """Whether a server answers before the deadline (monotonic seconds)."""
    return wait_for(lambda: _answers(address), deadline, _PAUSE_SECONDS)


def _answers(address: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(address, timeout=_TRY_SECONDS) as connection:
            connection.sendall(_SSL_REQUEST)
            return connection.recv(1) in (b"S", b"N")
    except OSError:
        return False
