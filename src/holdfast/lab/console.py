"""Join the caller's terminal with a node's console."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from pathlib import Path

from holdfast.lab.client import ask_for_descriptor

ESCAPE = b"\x1d"              # Ctrl-], as in telnet(1)


def attach_console(control: Path, node: str) -> None:
    """Until Ctrl-], the end of standard input, or the end of the lab."""
    with ask_for_descriptor(control, "console", node=node) as connection:
        terminal = sys.stdin.isatty()
        saved = termios.tcgetattr(0) if terminal else None
        try:
            if terminal:
                tty.setraw(0)         # throws away what was typed before
                print(f"Console of {node}. Leave with Ctrl-].", end="\r\n", flush=True)
            _relay(connection.fileno())
        finally:
            if saved:
                termios.tcsetattr(0, termios.TCSADRAIN, saved)
                print()


def _relay(connection: int) -> None:
    while True:
        readable, _, _ = select.select([0, connection], [], [])
        if connection in readable:
            data = os.read(connection, 65536)
            if not data:
                return
            os.write(1, data)
        if 0 in readable:
            data = os.read(0, 4096)
            if not data or ESCAPE in data:
                return
            os.write(connection, data)
