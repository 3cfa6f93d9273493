"""Kernel calls that Python's os module does not have: parent-death signal, memory lock, real-time class."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal

_LIBC = ctypes.CDLL(None, use_errno=True)
# include/uapi/linux/prctl.h
_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15
# include/uapi/asm-generic/mman.h
_MCL_CURRENT, _MCL_FUTURE = 1, 2
# sched(7): the highest place of SCHED_OTHER.
_FIRST_NICE = -20


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies, so that no child outlives the agent that judged it."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def set_process_name(name: str) -> None:
    """Name shown by ps and top; the kernel keeps 15 bytes."""
    _LIBC.prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)


def lock_memory() -> str | None:
    """Keep every page of this process in memory; returns the reason where the kernel refuses."""
    if _LIBC.mlockall(_MCL_CURRENT | _MCL_FUTURE) == 0:
        return None
    return os.strerror(ctypes.get_errno())


def use_real_time(priority: int, pid: int = 0) -> str | None:
    """Put a process (0: this one) into SCHED_RR; returns the reason where the kernel refuses.

    A kernel with CONFIG_RT_GROUP_SCHED refuses it to every process of a service. What is left there is the first place
    among the ordinary ones.
    """
    try:
        os.sched_setscheduler(pid, os.SCHED_RR, os.sched_param(priority))
    except OSError as error:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, _FIRST_NICE)
        return error.strerror
    return None


def use_ordinary_time() -> None:
    """Back to the ordinary class and place: for children that start other people's programs."""
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    os.setpriority(os.PRIO_PROCESS, 0, 0)
