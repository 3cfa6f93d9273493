"""Which processes keep a mount busy, found in /proc, and how they are made to let go."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from operator import not_
from pathlib import Path

from ..waiting import wait_for

# How long a holder may take to react to SIGTERM before SIGKILL. Holders are strangers here (a shell, a backup): the
# package's own resources were stopped before.
TERM_SECONDS = 0.5
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Holder:
    """A process that uses a mount: working directory, root, program, open file or mapping."""

    pid: int
    name: str
    use: str


def find_holders(path: str, proc: Path = Path("/proc")) -> tuple[Holder, ...]:
    """Every process that uses something at or below ``path``, except this one."""
    found = []
    for entry in proc.iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            use = _first_use(entry, path)
            if use is not None:
                found.append(Holder(int(entry.name), _read(entry / "comm").strip(), use))
    return tuple(found)


def end_holders(path: str, deadline: float) -> tuple[Holder, ...]:
    """Ask every holder to end, force those that do not; returns whom it was done to."""
    holders = find_holders(path)
    _signal(holders, signal.SIGTERM)
    limit = min(deadline, time.monotonic() + TERM_SECONDS)
    wait_for(lambda: any(Path(f"/proc/{holder.pid}").exists() for holder in holders), limit, _POLL_SECONDS, not_)
    _signal(find_holders(path), signal.SIGKILL)
    return holders


def _signal(holders: tuple[Holder, ...], number: signal.Signals) -> None:
    for holder in holders:
        try:
            os.kill(holder.pid, number)
        except ProcessLookupError:
            continue


def _first_use(process: Path, path: str) -> str | None:
    for use, target in _links(process):
        if target == path or target.startswith(path + "/"):
            return use
    return "mapping" if f" {path}/" in _read(process / "maps") else None


def _links(process: Path) -> Iterator[tuple[str, str]]:
    """The process' links into the file system; it may end at any moment."""
    for use in ("cwd", "root", "exe"):
        yield use, _link(process / use)
    try:
        descriptors = list((process / "fd").iterdir())
    except OSError:
        return
    for descriptor in descriptors:
        yield f"fd {descriptor.name}", _link(descriptor)


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
