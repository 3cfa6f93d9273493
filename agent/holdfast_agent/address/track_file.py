"""The file per package that lets keepalived raise its addresses: "0" may be master, "1" is FAULT, missing is FAULT."""

from __future__ import annotations

import os
from pathlib import Path

DIRECTORY = Path("/run/holdfast/vip")


def write_track_file(package: str, may_raise: bool, directory: Path = DIRECTORY) -> None:
    """Say whether keepalived may raise the package's addresses here.

    Written in place: keepalived watches the file itself, and a rename would leave it looking at the old one.
    """
    directory.mkdir(parents=True, exist_ok=True)
    handle = os.open(directory / package, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.pwrite(handle, b"0\n" if may_raise else b"1\n", 0)
    finally:
        os.close(handle)
