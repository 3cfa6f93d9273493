"""Which packages were detached by the end of an agent and not by a person: the next agent attaches those by itself.

In memory, because a reboot ends the detachment anyway.
"""

from __future__ import annotations

from pathlib import Path

DETACHED_DIRECTORY = Path("/run/holdfast/detached")


def mark_detached(package: str, directory: Path = DETACHED_DIRECTORY) -> None:
    """Remember that the next agent is to attach this package by itself."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / package).touch()


def take_detached_mark(package: str, directory: Path = DETACHED_DIRECTORY) -> bool:
    """Whether the package is to be attached by itself; asked once."""
    mark = directory / package
    if not mark.exists():
        return False
    mark.unlink()
    return True
