"""Small files of the kernel and of servers, read by the system calls alone.

An agent reads thousands of them a minute, and what pathlib and the text layer do around each read cost more than the read:
with eight packages a quarter of a slow processor.
"""

# The rule against these calls is what this module is about.
# ruff: noqa: PTH115, PTH208
from __future__ import annotations

import os

# sysfs(5): an attribute never exceeds a page. postmaster.pid and /proc/PID/stat are far smaller.
_BYTES = 4096


def read_small(path: str) -> str:
    """The first page of a file as text; raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(handle, _BYTES).decode(errors="replace")
    finally:
        os.close(handle)


def names_in(folder: str) -> list[str]:
    """The names in a folder, in no order; raises OSError."""
    return os.listdir(folder)


def link_target(path: str) -> str:
    """What a symbolic link says; raises OSError."""
    return os.readlink(path)
