"""When ownership of a package was last proven on this node, for the next agent to know.

In memory, because nothing of a package runs after a reboot. Seconds are those of the system's monotonic clock, which
every process of one boot shares.
"""

from __future__ import annotations

import os
from pathlib import Path

VERIFIED_DIRECTORY = Path("/run/holdfast/verified")


def mark_verified(package: str, moment: float, directory: Path = VERIFIED_DIRECTORY) -> None:
    """Remember the moment of a proof. Written in place, with always the same number of bytes: nobody reads half of it."""
    directory.mkdir(parents=True, exist_ok=True)
    handle = os.open(directory / package, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.pwrite(handle, f"{moment:020.3f}\n".encode(), 0)
    finally:
        os.close(handle)


def forget_verified(package: str, directory: Path = VERIFIED_DIRECTORY) -> None:
    """The package is not owned any more, or others stand off from it: its age says nothing."""
    (directory / package).unlink(missing_ok=True)


def read_verified(package: str, directory: Path = VERIFIED_DIRECTORY) -> float | None:
    """Moment of the last proof, None where there is none to go by."""
    try:
        return float((directory / package).read_text())
    except (OSError, ValueError):
        return None
