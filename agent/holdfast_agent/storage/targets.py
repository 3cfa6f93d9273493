"""What the storage channel of one package works on: its LUNs with the paths that they have at this moment."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from ..multipath.sysfs import MultipathMap, PathDevice, list_maps, list_paths, read_state

# drivers/scsi/scsi_sysfs.c: the only states in which a command leaves at once.
_USABLE_STATES = ("running",)


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


# Which disks and maps there are changes rarely and is looked up this often; the state of each path is read every time.
TOPOLOGY_SECONDS = 1.0


class Topology:
    """Finds LUNs in sysfs; a LUN that is not there has no paths.

    Paths come from the disks themselves and not from the map, so that a path is found that the map has lost.
    """

    def __init__(self, sysfs: Path = Path("/sys")) -> None:
        self._sysfs = sysfs
        self._known: dict[str, Lun] = {}
        self._read_at = float("-inf")

    def find(self, names: tuple[LunName, ...]) -> tuple[Lun, ...]:
        """The LUNs with the paths that they have and their states at this moment."""
        now = time.monotonic()
        if now - self._read_at > TOPOLOGY_SECONDS or any(name.wwid not in self._known for name in names):
            wwids = {name.wwid: name.name for name in names} | {lun.wwid: lun.name for lun in self._known.values()}
            maps = list_maps(frozenset(wwids), self._sysfs)
            paths = list_paths(frozenset(wwids), self._sysfs)
            self._known = {wwid: Lun(name, wwid, maps.get(wwid), paths[wwid]) for wwid, name in wwids.items()}
            self._read_at = now
            return tuple(self._known[name.wwid] for name in names)
        return tuple(self._with_states(self._known[name.wwid]) for name in names)

    def _with_states(self, lun: Lun) -> Lun:
        return replace(lun, paths=tuple(replace(p, state=read_state(p.name, self._sysfs)) for p in lun.paths))


@cache
def block_bytes(path: PathDevice, sysfs: Path = Path("/sys")) -> int:
    """Logical block size of a path device."""
    return int((sysfs / "block" / path.name / "queue/logical_block_size").read_text())
