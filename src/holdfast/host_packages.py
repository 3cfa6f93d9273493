"""Install Debian packages on this machine, where this user may; else say the exact command."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable

from holdfast.lab.command import environment
from holdfast.lab.errors import HostError

# A machine that was just started often installs its own updates; apt then waits for their end, in seconds.
OPTIONS = ("-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120")


def install_packages(packages: list[str], report: Callable[[str], None]) -> None:
    """Install `packages` with apt-get as root or through a sudo that asks nothing; HostError where neither works."""
    if not packages:
        return
    names = " ".join(packages)
    if shutil.which("apt-get") is None:
        raise HostError(f"this machine has no apt-get; what these Debian packages hold is needed: {names}")
    if os.geteuid() == 0:
        prefix: list[str] = []
    elif shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        prefix = ["sudo", "-n"]
    else:
        raise HostError(f"packages are missing; get them with: sudo apt-get install --no-install-recommends {names}")
    report(f"installing {', '.join(packages)}")
    said = ""
    for call in (["apt-get", "update", "-qq"], ["apt-get", "install", *OPTIONS, *packages]):
        done = subprocess.run([*prefix, "env", "DEBIAN_FRONTEND=noninteractive", *call], capture_output=True, text=True,
                              check=False, env=environment())
        said += done.stderr or done.stdout
        if done.returncode != 0:
            raise HostError(f"apt-get could not install {names}: {reason(said)}; see to that (the "
                            "network?), then run the same command again")


def reason(output: str) -> str:
    """What it could not fetch, and its last error, which stands before its last line as often as not.

    Without a network apt's update only warns, and what its install says then is that a package does not exist.
    """
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    fetches = [line for line in lines if line.startswith(("E: Failed to fetch", "W: Failed to fetch"))]
    errors = [line for line in lines if line.startswith("E:") and line not in fetches]
    return "; ".join([*fetches[-1:], *errors[-1:]] or lines[-1:] or ["it gave no reason"])
