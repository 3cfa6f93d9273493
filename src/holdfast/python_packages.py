"""Install pinned Python tools into the environment once, with a plain line when pip cannot."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from holdfast.lab.errors import LabError

# pip's last error says that a version was not found, also where nobody answered; the cause stands in its warnings. The launcher
# looks for the same words.
CAUSES = "name resolution|not known|Connection refused|unreachable|No route to host|timed out"
_UNREACHABLE = re.compile(rf"Retrying .*?({CAUSES})")


def install_requirements(file: Path) -> None:
    """Install what `file` pins; LabError with pip's reason and what to do about it."""
    if not os.access(sys.prefix, os.W_OK):
        raise LabError(f"{sys.prefix} is somebody else's and lacks what {file.name} pins; make a checkout of your own")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--no-user", "--quiet", "--disable-pip-version-check", "-r", str(file)],
        capture_output=True, text=True, check=False,
    )
    if done.returncode != 0:
        raise LabError(f"pip could not install {file.name}: {reason(done.stderr)}; without a way to a package index set "
                       "PIP_INDEX_URL or a proxy, then run the same command again")


def reason(said: str) -> str:
    """Why, from what pip wrote to standard error."""
    if found := _UNREACHABLE.search(said):
        return f"the package index does not answer ({found[1]})"
    return ([line for line in said.splitlines() if line.startswith("ERROR")] or ["it gave no reason"])[-1]
