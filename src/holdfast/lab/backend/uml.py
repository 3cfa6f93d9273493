"""User-Mode Linux: a whole kernel as one ordinary process (see docs/lab.md for the measured facts)."""

from __future__ import annotations

import string

from holdfast.lab.backend import FIRST_DATA_UNIT, POOL_UNIT, ROOT_UNIT, Boot


class UserModeLinux:
    """Runs in a chroot of the image's runtime folder, where the supervisor has mounted /lab and /image."""

    name = "uml"
    # Each system call of a guest goes to another process and back. Measured on two busy cores: 112 us per call with the two
    # processes anywhere, 18 us on one core; fork 57 and 30 ms.
    one_processor = True

    def device(self, unit: int) -> str:
        return f"/dev/ubd{string.ascii_lowercase[unit]}"

    def interface(self, index: int) -> str:
        return f"vec{index}"

    def prepare(self, boot: Boot) -> None:
        """Nothing to do: the kernel makes its copy-on-write file itself at the first boot."""

    def command(self, boot: Boot) -> list[str]:
        lab = f"/lab/nodes/{boot.machine.name}"
        disks = [f"ubd{ROOT_UNIT}={lab}/root.cow,/image/disk.img", f"ubd{POOL_UNIT}r=/image/pool.img",
                 f"ubd{boot.seed_unit}r={lab}/{boot.seed.name}"]
        disks += [f"ubd{FIRST_DATA_UNIT + i}={lab}/{path.name}" for i, path in enumerate(boot.data_disks)]
        # gro=1: without it large segments between two nodes are dropped and iSCSI writes stall.
        ports = [f"vec{i}:transport={boot.transport},ifname={port.interface},mac={port.mac},gro=1"
                 for i, port in enumerate(boot.ports)]
        # rt_group_sched=0: this kernel is built with real-time groups (Debian's own is not), which refuse SCHED_RR to
        # every service under systemd: the agent would run at another priority here than on a real node.
        # noreboot: the process ends instead of executing itself anew, which would lose its network devices.
        return ["chroot", str(boot.image.runtime), "/linux.uml", *disks, f"root={self.device(ROOT_UNIT)}",
                f"mem={boot.machine.memory_mib}M", f"umid={boot.machine.name}", "uml_dir=/tmp", "con0=fd:0,fd:1",
                "con=null", "seccomp=on", "rt_group_sched=0", "noreboot", "quiet",
                *boot.kernel_words(self.device), *ports]
