"""keepalived's notifications, read from its FIFO: ordered, unlike its scripts."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

PATH = Path("/run/holdfast/vrrp.fifo")
# keepalived.conf(5), notify_fifo: INSTANCE "name" STATE priority.
_LINE = re.compile(r'(INSTANCE|GROUP) "([^"]+)" (\S+) (\d+)')
_READ_BYTES = 4096


@dataclass(frozen=True)
class RouterChange:
    """A virtual router changed its state."""

    router: str
    state: str


def open_notify_fifo(path: Path = PATH) -> int:
    """Open the FIFO, made where it is missing; reading and writing, so that a restart of keepalived is no end of file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        os.mkfifo(path, 0o600)
    handle = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISFIFO(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(f"{path} is not a FIFO")
    return handle


class NotifyReader:
    """Cuts what was read into changes; keeps an unfinished line for the next time."""

    def __init__(self) -> None:
        self._rest = ""

    def read(self, handle: int) -> tuple[RouterChange, ...]:
        """Every change that has arrived."""
        try:
            data = os.read(handle, _READ_BYTES)
        except BlockingIOError:
            return ()
        *lines, self._rest = (self._rest + data.decode("utf-8", "replace")).split("\n")
        return tuple(RouterChange(m[2], m[3]) for line in lines if (m := _LINE.match(line)) and m[1] == "INSTANCE")
