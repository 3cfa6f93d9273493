"""The process that forks all children.

It is forked once, before the agent locks its memory, opens its sockets and its watchdog: a child forked from here
inherits none of them, costs little, and forking never stalls the agent's loop.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
from collections.abc import Callable

from .messages import MAXIMUM_PACKET_BYTES, make_pair
from .process import die_with_parent, set_process_name

Serve = Callable[[socket.socket, str], None]
_PID = struct.Struct("i")


class Zygote:
    """The agent's side: asks for children."""

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self._connection = connection
        self.pid = pid

    def spawn(self, name: str) -> tuple[int, socket.socket]:
        """Fork a child that serves jobs; returns its pid and the socket to it."""
        ours, theirs = make_pair()
        with theirs:
            socket.send_fds(self._connection, [name.encode()], [theirs.fileno()])
            packet = self._connection.recv(_PID.size)
        if len(packet) != _PID.size:
            raise ChildProcessError("the forking child is gone")
        return _PID.unpack(packet)[0], ours


def start_zygote(serve: Serve) -> Zygote:
    """Fork the forking process; to be called while the agent is still single-threaded and small."""
    ours, theirs = make_pair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        _run_zygote(theirs, serve)
    theirs.close()
    return Zygote(ours, pid)


def _run_zygote(connection: socket.socket, serve: Serve) -> None:
    """Fork on request until the agent is gone; never returns."""
    die_with_parent()
    set_process_name("hf-zygote")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for number in (signal.SIGINT, signal.SIGTERM):
        # The agent decides when children end; a signal to the whole group must not.
        signal.signal(number, signal.SIG_IGN)
    while True:
        name, descriptors, _, _ = socket.recv_fds(connection, MAXIMUM_PACKET_BYTES, 1)
        if not name:
            os._exit(0)
        pid = os.fork()
        if pid == 0:
            connection.close()
            serve(socket.socket(fileno=descriptors[0]), name.decode())
            os._exit(0)
        os.close(descriptors[0])
        connection.send(_PID.pack(pid))
