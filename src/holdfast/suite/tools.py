"""What the stages need beside the checkout: pinned Python tools in the environment, Debian packages on this machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from holdfast.host_packages import install_packages
from holdfast.progress import Progress
from holdfast.python_packages import install_requirements
from holdfast.suite.stages import ROOT, Stage

REQUIREMENTS = ROOT / "requirements-test.txt"


def prepare(stages: list[Stage]) -> None:
    """Install what is missing; LabError where that cannot be done."""
    with Progress("test") as report:
        marker = Path(sys.prefix) / ".holdfast-test"
        wanted = REQUIREMENTS.read_text()
        if not marker.exists() or marker.read_text() != wanted:
            report("installing the test tools into the Python environment (once)")
            install_requirements(REQUIREMENTS)
            marker.write_text(wanted)
        needed = sorted({package for stage in stages for package in stage.packages})
        install_packages([package for package in needed if not is_installed(package)], report)


def is_installed(package: str) -> bool:
    done = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Abbrev}", package], capture_output=True, text=True, check=False)
    return done.stdout.startswith("ii")
