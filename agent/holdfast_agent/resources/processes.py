"""Questions about single processes, without zombies and reused pids getting in the way."""

from __future__ import annotations

import os
import select
import signal
import time
from operator import not_

from ..errors import ResourceError
from ..small_files import link_target, names_in, read_small
from ..waiting import wait_for

# How long what was killed may take to let go; who stays longer is somebody else.
LEAVE_SECONDS = 5.0
_POLL_SECONDS = 0.01


def process_is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        state = read_small(f"/proc/{pid}/stat").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state not in ("Z", "X")


def working_directory(pid: int) -> str:
    """Working directory of a process, empty where it is gone."""
    try:
        return link_target(f"/proc/{pid}/cwd")
    except OSError:
        return ""


def processes_in(directory: str) -> tuple[int, ...]:
    """Every process whose working directory is exactly this one: the processes of a database on its data."""
    pids = (int(name) for name in names_in("/proc") if name.isdigit())
    return tuple(pid for pid in pids if working_directory(pid) == directory)


def wait_until_left(directory: str, deadline: float) -> None:
    """Wait until nobody works in a directory any more; raises ResourceError where somebody stays.

    A control group without processes does not say it: on the lab's nodes (Linux 7.2) a killed process was gone from its group
    and still worked in the directory, for up to three seconds on a busy processor.
    """
    limit = min(deadline, time.monotonic() + LEAVE_SECONDS)
    workers = wait_for(lambda: processes_in(directory), limit, _POLL_SECONDS, not_)
    if workers:
        raise ResourceError(f"processes {workers} still work in {directory}")


def signal_and_wait(pid: int, number: signal.Signals, deadline: float) -> bool:
    """Send a signal and wait for the process to end; returns whether it ended in time."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        signal.pidfd_send_signal(handle, number)
        ended, _, _ = select.select([handle], [], [], max(0.0, deadline - time.monotonic()))
        return bool(ended)
    except ProcessLookupError:
        return True
    finally:
        os.close(handle)
