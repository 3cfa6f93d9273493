"""QEMU: for machines on which User-Mode Linux does not boot. KVM when a probe boot shows that it works, else TCG."""

from __future__ import annotations

import re
import string
import subprocess
from pathlib import Path

from holdfast.lab.backend import Boot
from holdfast.lab.command import environment, run
from holdfast.lab.errors import HostError

EMULATOR = "qemu-system-x86_64"
KVM_PROBE_SECONDS = 8         # a kernel that runs at full speed prints its first line within one second
CX16_MENDED_IN = 8            # QEMU 7.2 (Debian 12) corrupts flags on cmpxchg16b under TCG: the guest panics


class Qemu:
    """Boots the distribution's cloud kernel directly, with virtio disks and tap interfaces."""

    name = "qemu"
    one_processor = False

    def __init__(self) -> None:
        self._acceleration: list[str] | None = None

    def device(self, unit: int) -> str:
        return f"/dev/vd{string.ascii_lowercase[unit]}"

    def interface(self, index: int) -> str:
        return f"eth{index}"

    def prepare(self, boot: Boot) -> None:
        """Make the copy-on-write disk and find out which acceleration works (once per lab)."""
        if boot.transport != "tap":
            raise HostError("the QEMU backend needs /dev/net/tun, which this user may not open; run as root, or let the "
                            "administrator run: chmod 0666 /dev/net/tun")
        disk = boot.directory / "root.qcow2"
        if not disk.exists():
            run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(boot.image.disk), str(disk)])
        if self._acceleration is None:
            self._acceleration = self._find_acceleration(boot.image.runtime)

    def _find_acceleration(self, runtime: Path) -> list[str]:
        if kvm_works(runtime / "vmlinuz"):
            return ["-accel", "kvm", "-cpu", "host"]
        return ["-accel", "tcg", "-cpu", "max,-cx16" if emulator_version() < CX16_MENDED_IN else "max"]

    def command(self, boot: Boot) -> list[str]:
        disks = [("qcow2", boot.directory / "root.qcow2", False), ("raw", boot.image.pool, True),
                 *(("raw", path, False) for path in boot.data_disks), ("raw", boot.seed, True)]
        argv = [EMULATOR, "-machine", "q35", *(self._acceleration or []), "-m", str(boot.machine.memory_mib),
                "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio", "-no-user-config",
                "-kernel", str(boot.image.runtime / "vmlinuz"), "-initrd", str(boot.image.runtime / "initrd.img"),
                "-append", " ".join(["root=/dev/vda", "console=ttyS0", "quiet", "panic=-1",
                                     *boot.kernel_words(self.device)]),
                "-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng"]
        for i, (kind, path, readonly) in enumerate(disks):
            # cache=writeback with flushes passed on: a power cut of the node loses what it had not flushed.
            argv += ["-drive", f"file={path},format={kind},if=none,id=d{i},readonly={'on' if readonly else 'off'}",
                     "-device", f"virtio-blk-pci,drive=d{i}"]
        for i, port in enumerate(boot.ports):
            argv += ["-netdev", f"tap,id=n{i},ifname={port.interface},script=no,downscript=no",
                     "-device", f"virtio-net-pci,netdev=n{i},mac={port.mac},romfile="]
        return argv


def emulator_version() -> int:
    """QEMU's major version."""
    match = re.search(r"version (\d+)", run([EMULATOR, "--version"]))
    return int(match[1]) if match else 0


def kvm_works(kernel: Path) -> bool:
    """Whether KVM runs an ordinary kernel here. The presence of /dev/kvm does not say so: it is tried."""
    if not Path("/dev/kvm").exists():
        return False
    argv = [EMULATOR, "-machine", "q35", "-accel", "kvm", "-cpu", "host", "-m", "256", "-nodefaults", "-display", "none",
            "-no-reboot", "-serial", "stdio", "-kernel", str(kernel), "-append", "console=ttyS0 panic=-1"]
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=KVM_PROBE_SECONDS,
                              env=environment(), check=False)
        output = done.stdout
    except subprocess.TimeoutExpired as late:
        output = late.stdout or b""
    return b"Linux version" in output


