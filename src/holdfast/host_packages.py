"""Install Debian packages on this machine, where this user may; else say the exact command."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable

from holdfast.lab.command import environment
from holdfast.lab.errors import HostError


def install_packages(packages: list[str], report: Callable[[str], None]) -> None:
    """Install `packages` with apt-get as root or through a sudo that asks nothing; HostError where neither works."""
    if not packages:
        return
    command = f"apt-get install --no-install-recommends {' '.join(packages)}"
    if os.geteuid() == 0:
        prefix: list[str] = []
    elif shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        prefix = ["sudo", "-n"]
    else:
        raise HostError(f"these packages are missing; get them with: sudo {command}")
    report(f"installing {', '.join(packages)}")
    calls = (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages])
    for call in calls:
        done = subprocess.run([*prefix, *call], capture_output=True, text=True, check=False,
                              env=environment(DEBIAN_FRONTEND="noninteractive"))
        if done.returncode != 0:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no message"]
            raise HostError(f"apt-get could not install {', '.join(packages)}: {last[0]}")
