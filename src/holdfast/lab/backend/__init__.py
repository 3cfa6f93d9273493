"""The two ways to run a node: User-Mode Linux and QEMU, behind one small interface."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from holdfast.lab.image.store import Image
from holdfast.lab.topology import Machine

ROOT_UNIT, POOL_UNIT, FIRST_DATA_UNIT = 0, 1, 2      # block devices in order; the seed comes after the data disks


@dataclass(frozen=True)
class Port:
    """One network interface of a machine: the lab's end of it and its MAC address."""

    network: str
    interface: str
    mac: str


@dataclass(frozen=True)
class Boot:
    """All that a backend needs to start one machine. Paths are those of the host."""

    machine: Machine
    image: Image
    directory: Path
    ports: tuple[Port, ...]
    transport: str            # "tap", or "raw" where the user may not open /dev/net/tun

    @property
    def data_disks(self) -> list[Path]:
        return [self.directory / f"{disk.name}.img" for disk in self.machine.disks]

    @property
    def seed(self) -> Path:
        return self.directory / "seed.tar"

    @property
    def seed_unit(self) -> int:
        return FIRST_DATA_UNIT + len(self.machine.disks)

    def kernel_words(self, device: Callable[[int], str]) -> list[str]:
        """The words of the kernel command line that every backend needs."""
        return ["rw", "audit=0", f"systemd.hostname={self.machine.name}", f"systemd.machine_id={self.machine_id}",
                f"holdfast.seed={device(self.seed_unit)}",
                f"holdfast.pool={device(POOL_UNIT)}", "net.ifnames=0"]

    @property
    def machine_id(self) -> str:
        """The same at every boot of this machine of this lab (machine-id(5): 32 hexadecimal digits)."""
        return uuid.uuid5(uuid.NAMESPACE_URL, f"holdfast-lab:{self.directory}").hex


class Backend(Protocol):
    """What the supervisor and the state folder ask of a backend."""

    name: str
    one_processor: bool
    """Whether a machine of it runs best when all of its processes stay on one processor of the host."""

    def device(self, unit: int) -> str:
        """The guest's name of a block device unit."""

    def interface(self, index: int) -> str:
        """The guest kernel's name of its network interface number `index`, before it gets its network's name."""

    def prepare(self, boot: Boot) -> None:
        """Make what must be there before the first start, inside the lab's namespaces; may be called again."""

    def command(self, boot: Boot) -> list[str]:
        """The argv that runs the machine in the foreground with its console on standard input and output."""
