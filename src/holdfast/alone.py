"""One run of a command at a time: two that share a folder, or a lab, would take it from each other."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.lab.errors import LabError


@contextmanager
def alone(folder: Path, busy: str) -> Iterator[None]:
    """LabError, in the words `busy`, where another process is inside; the kernel lets go of the lock when its holder ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LabError(busy) from error
        yield
