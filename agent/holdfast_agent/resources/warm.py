"""Reading a program and its libraries into the page cache, so that its first start is not a wait for the disk.

Seen in the lab: a database that had not run since the boot took 5 s longer to execute on a busy machine.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from ..errors import ResourceError

_CHUNK_BYTES = 1024 * 1024
_VERSION_SECONDS = 30.0


def warm_program(path: Path) -> None:
    """Read the file and run it once with --version, which loads its libraries; raises ResourceError if it cannot run."""
    try:
        with path.open("rb", buffering=0) as stream:
            while stream.read(_CHUNK_BYTES):
                continue
        result = subprocess.run([str(path), "--version"], capture_output=True, timeout=_VERSION_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ResourceError(f"{path} cannot be run: {error}") from error
    if result.returncode != 0:
        raise ResourceError(f"{path} --version ended with {result.returncode}")
