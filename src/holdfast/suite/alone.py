"""One run of the tests at a time in a checkout: they share its Python environment and the folder with their logs."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.lab.errors import LabError


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """LabError where another process is inside; the kernel lets go of the lock when its holder ends, however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LabError("another `holdfast test` is running in this checkout; wait for its end") from error
        yield
