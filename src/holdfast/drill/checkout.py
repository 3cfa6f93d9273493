"""What git says of the checkout, where there is one and a git to ask."""

from __future__ import annotations

import subprocess
from pathlib import Path

NO_SUCH_PROGRAM = 127         # as a shell says it


def ask_git(project: Path, *words: str) -> tuple[int, str]:
    """Exit code and output. The checkout may be another user's (root in yours): its code is run here all the same."""
    argv = ["git", "-c", "safe.directory=*", "-C", str(project), *words]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return NO_SUCH_PROGRAM, ""
    return done.returncode, done.stdout.strip()
