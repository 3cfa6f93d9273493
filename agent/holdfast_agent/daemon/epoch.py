"""The epoch: a number that grows with each start of the agent on this node, and makes its reservation key unique."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ConfigurationError

PATH = Path("/var/lib/holdfast/epoch")
# 24 bits of the reservation key.
_MAXIMUM = 0xFFFFFF


def next_epoch(path: Path = PATH) -> int:
    """Count up and return the new epoch, which is on stable storage before it is used.

    Raises ConfigurationError where the file cannot be read or written: a key used twice could let an ejected node in.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        epoch = (int(path.read_text()) if path.exists() else 0) % _MAXIMUM + 1
        _store(path, epoch)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error}", path=str(path)) from error
    return epoch


def _store(path: Path, epoch: int) -> None:
    temporary = path.with_suffix(".new")
    with temporary.open("w") as stream:
        stream.write(f"{epoch}\n")
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
