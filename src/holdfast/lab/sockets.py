"""Unix sockets whose path may be longer than the kernel's limit of 107 bytes (unix(7)).

The folder is opened first and the socket is named through /proc/self/fd, so that a lab may live in any folder.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def _short_name(path: Path) -> Iterator[str]:
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)


def listen(path: Path) -> socket.socket:
    """A listening stream socket at `path`, for its owner only; an old file of that name is replaced."""
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with _short_name(path) as name:
        server.bind(name)
    path.chmod(0o600)
    server.listen(64)
    return server


def connect(path: Path, timeout_seconds: float | None = None) -> socket.socket:
    """A stream connection to the socket at `path`; raises OSError when nobody listens."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(timeout_seconds)
    try:
        with _short_name(path) as name:
            client.connect(name)
    except OSError:
        client.close()
        raise
    return client
