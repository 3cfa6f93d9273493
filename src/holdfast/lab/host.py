"""What the lab needs from this machine, asked before anything is changed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from holdfast import host_packages  # by its module: it needs this package, and may be imported first
from holdfast.lab.command import SBIN
from holdfast.lab.errors import HostError
from holdfast.lab.namespaces import isolated

# tool -> Debian package that brings it
BUILD_TOOLS = {"mmdebstrap": "mmdebstrap", "mkfs.ext4": "e2fsprogs", "apt-get": "apt", "dpkg-deb": "dpkg",
               "tar": "tar"}
RUN_TOOLS = {"unshare": "util-linux", "ip": "iproute2", "ssh": "openssh-client", "ssh-keygen": "openssh-client"}
USER_TOOLS = {"newuidmap": "uidmap"}
QEMU_TOOLS = {"qemu-system-x86_64": "qemu-system-x86", "qemu-img": "qemu-utils"}
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
OLDEST_KERNEL = (6, 1)        # Debian 12's; the lab was never tried on an older one
RESERVE_MIB = 512             # left to the host beside the nodes' memory
BUILD_DISK_MIB = 4096         # root file system, package pool, disk image and their temporary copies: 3.1 GiB measured
RUN_DISK_MIB = 1024           # copy-on-write disks grow with what the nodes write


def missing_packages(*, building: bool, qemu: bool) -> list[str]:
    """The Debian packages of the tools that are not here, in order of their names."""
    tools = dict(RUN_TOOLS)
    if building:
        tools |= BUILD_TOOLS
    if qemu:
        tools |= QEMU_TOOLS
    if os.geteuid() != 0:
        tools |= USER_TOOLS
    path = f"{os.environ.get('PATH', '')}:{SBIN}"
    missing = {package for tool, package in tools.items() if shutil.which(tool, path=path) is None}
    if building and not KEYRING.exists():
        missing.add("debian-archive-keyring")
    return sorted(missing)


def install_missing(*, qemu: bool, report: Callable[[str], None]) -> None:
    """Install the packages of the tools that are not here; HostError first where no package would help."""
    if old := kernel_problem():
        raise HostError(old)
    host_packages.install_packages(missing_packages(building=True, qemu=qemu), report)


def require_host(*, building: bool, qemu: bool, memory_mib: int, directory: Path) -> None:
    """HostError with everything that is missing; nothing is changed."""
    problems = [old] if (old := kernel_problem()) else []
    if missing := missing_packages(building=building, qemu=qemu):
        sudo = "" if os.geteuid() == 0 else "sudo "
        problems.append(f"tools are missing; get them with: {sudo}apt-get install --no-install-recommends "
                        + " ".join(missing))
    elif reason := namespace_problem():
        problems.append(reason)
    available = available_memory_mib()
    if memory_mib + RESERVE_MIB > available:
        problems.append(f"the nodes need {memory_mib} MiB of memory and {available} MiB are available "
                        f"({RESERVE_MIB} MiB stay reserved); use fewer nodes or less memory_mib")
    needed = BUILD_DISK_MIB + RUN_DISK_MIB if building else RUN_DISK_MIB
    free = free_disk_mib(directory)
    if free < needed:
        problems.append(f"{directory} has {free} MiB of free disk and the lab needs {needed} MiB; free some, or name "
                        "another place with HOLDFAST_CACHE and HOLDFAST_STATE")
    if problems:
        raise HostError("\n".join(problems))


def kernel_problem() -> str | None:
    """One sentence when this machine's kernel is older than the oldest that the lab supports, else None."""
    release = os.uname().release
    if tuple(int(digits) for digits in re.findall(r"\d+", release)[:2]) >= OLDEST_KERNEL:
        return None
    return (f"this machine's kernel is {release} and the lab needs {OLDEST_KERNEL[0]}.{OLDEST_KERNEL[1]} or newer, as "
            "Debian 12 has; in a container it is the host's kernel that counts")


def namespace_problem() -> str | None:
    """One sentence when this user can't make the namespaces that a lab lives in, else None."""
    probe = subprocess.run(isolated(["true"], network=True), capture_output=True, text=True, check=False)
    if probe.returncode == 0:
        return None
    message = probe.stderr.strip().splitlines()[-1:] or ["no message"]
    if os.geteuid() == 0:
        return f"root can't make namespaces here ({message[0]}); a container without CAP_SYS_ADMIN can't run a lab"
    return (f"this machine does not let an ordinary user make namespaces ({message[0]}); run as root, or let the "
            "administrator set kernel.unprivileged_userns_clone=1 and give you ranges in /etc/subuid and /etc/subgid "
            f"(usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {os.environ.get('USER', 'USER')})")


def available_memory_mib() -> int:
    """What programs can get without swapping, by the kernel's estimate (proc_meminfo(5)). HostError where it makes none."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) // 1024
    raise HostError("/proc/meminfo has no line MemAvailable; Linux 3.14 or newer is needed")


def free_disk_mib(directory: Path) -> int:
    """Free space for this user where the directory is, or would be."""
    existing = next(place for place in (directory, *directory.parents) if place.exists())
    return shutil.disk_usage(existing).free // (1024 * 1024)
