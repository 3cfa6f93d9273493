"""What the storage channel of one package works on: its LUNs with the paths that they have at this moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..multipath.sysfs import MultipathMap, PathDevice, list_maps, list_paths

# drivers/scsi/scsi_sysfs.c: the only states in which a command leaves at once.
_USABLE_STATES = ("running", "")


@dataclass(frozen=True)
class LunName:
    """A LUN as the package definition names it."""

    name: str
    wwid: str


@dataclass(frozen=True)
class StorageTargets:
    """Everything the storage child has to know about its package."""

    package: str
    node_id: int
    lock: LunName
    data: tuple[LunName, ...]


@dataclass(frozen=True)
class Lun:
    """A LUN with what sysfs says about it now; ``map`` is None where multipath has not made one."""

    name: str
    wwid: str
    map: MultipathMap | None
    paths: tuple[PathDevice, ...] = field(default=())

    @property
    def live_paths(self) -> tuple[PathDevice, ...]:
        """Paths on which a command would leave at once."""
        return tuple(path for path in self.paths if path.state in _USABLE_STATES)


def find_luns(names: tuple[LunName, ...], sysfs: Path = Path("/sys")) -> tuple[Lun, ...]:
    """Look the LUNs up; a LUN that is not there has no paths.

    Paths come from the disks themselves and not from the map, so that a path is found that the map has lost.
    """
    maps = list_maps(sysfs)
    return tuple(Lun(name.name, name.wwid, maps.get(name.wwid), list_paths(name.wwid, sysfs)) for name in names)


def block_bytes(path: PathDevice, sysfs: Path = Path("/sys")) -> int:
    """Logical block size of a path device."""
    return int((sysfs / "block" / path.name / "queue/logical_block_size").read_text())
