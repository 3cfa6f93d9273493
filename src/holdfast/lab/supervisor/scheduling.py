"""Processor time for the machines of a lab.

A node's clock goes on while it waits for a processor, so whatever else runs on this machine (a playbook, a test) looks
like a stalled node to its peers. Nodes therefore go first.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

# A nice value (sched(7)) well above what people start by hand, still ordinary: a node that spins cannot lock anybody out.
PRIORITY = -5


def processor_for(number: int) -> int:
    """The processor for machine `number` of a lab, in turn over those that this process may use."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[number % len(usable)]


def favour(pid: int, processor: int | None = None, proc: Path = Path("/proc")) -> None:
    """Prefer a process that has just started, with all that it will start; an ordinary user may not, and it stays as it is.

    `processor` binds it to one. The autogroup is the scheduler's unit where there is one, so it gets the same value; a
    process outside of all autogroups has the file too, and the kernel answers EINVAL there.
    """
    try:
        if processor is not None:
            os.sched_setaffinity(pid, {processor})
        os.setpriority(os.PRIO_PROCESS, pid, PRIORITY)
        autogroup = proc / str(pid) / "autogroup"
        if autogroup.exists():
            with contextlib.suppress(OSError):
                autogroup.write_text(str(PRIORITY))
    except (PermissionError, ProcessLookupError):
        return
