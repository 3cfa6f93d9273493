"""The processes of this machine, as /proc lists them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def list_processes(proc: Path = Path("/proc")) -> Iterator[Path]:
    """The folder of each process. One may end at any moment: whoever reads in a folder must expect OSError.

    A pattern such as ``glob("[0-9]*/stat")`` will not do: pathlib asks whether each file is there and, of one whose process
    ends at that moment, raises ProcessLookupError from within the loop's head.
    """
    return (entry for entry in proc.iterdir() if entry.name.isdigit())
