"""WWID to map to paths, read from sysfs alone: no process is started and multipathd is not asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..small_files import link_target, names_in, read_small

# drivers/md/dm-mpath sets no prefix itself; multipath-tools names its maps "mpath-<WWID>" in the dm uuid.
_MAP_UUID_PREFIX = "mpath-"
# drivers/scsi/scsi_transport_iscsi.c: the session is a parent of its targets and disks.
_ISCSI_SESSION = re.compile(r"session\d+")
SYSFS = Path("/sys")


@dataclass(frozen=True)
class PathDevice:
    """One path: kernel name, "major:minor", SCSI address and state word (``running``, ``blocked``, ``offline``…).

    ``iscsi_session`` is the kernel's number of the session that carries it, None for another transport.
    """

    name: str
    number: str
    address: str
    state: str
    iscsi_session: int | None = None

    @property
    def device(self) -> str:
        """Device node of the path."""
        return f"/dev/{self.name}"


@dataclass(frozen=True)
class MultipathMap:
    """A multipath map. Its LUN's paths are found by WWID and not through it: see `list_paths`."""

    wwid: str
    name: str
    kernel_name: str

    @property
    def device(self) -> str:
        """Device node of the map that exists without udev."""
        return f"/dev/{self.kernel_name}"


def list_maps(wwids: frozenset[str] | None = None, sysfs: Path = SYSFS) -> dict[str, MultipathMap]:
    """The multipath maps of these LUNs by WWID, by default all of the node."""
    maps = {}
    for name in _names(f"{sysfs}/block", "dm-"):
        block = f"{sysfs}/block/{name}"
        uuid = _read_word(f"{block}/dm/uuid")
        wwid = uuid.removeprefix(_MAP_UUID_PREFIX)
        if uuid.startswith(_MAP_UUID_PREFIX) and (wwids is None or wwid in wwids):
            maps[wwid] = MultipathMap(wwid, _read_word(f"{block}/dm/name"), name)
    return maps


def list_paths(wwids: frozenset[str], sysfs: Path = SYSFS) -> dict[str, tuple[PathDevice, ...]]:
    """By WWID: every SCSI disk that reports it, also one that its map does not hold (yet)."""
    found: dict[str, list[PathDevice]] = {wwid: [] for wwid in wwids}
    for name in _names(f"{sysfs}/block", "sd"):
        # The kernel spells an NAA designator "naa.<hex>" where multipath writes "3<hex>".
        wwid = "3" + _read_word(f"{sysfs}/block/{name}/device/wwid").removeprefix("naa.")
        if wwid in found:
            found[wwid].append(_path_device(sysfs, name))
    return {wwid: tuple(paths) for wwid, paths in found.items()}


def read_state(name: str, sysfs: Path = SYSFS) -> str:
    """The kernel's state word of a path now; "gone" where the device vanished."""
    return _read_word(f"{sysfs}/block/{name}/device/state") or "gone"


def _names(folder: str, prefix: str) -> list[str]:
    """What is in a folder by these names, sorted; nothing where there is no folder."""
    try:
        return sorted(name for name in names_in(folder) if name.startswith(prefix))
    except OSError:
        return []


def _path_device(sysfs: Path, name: str) -> PathDevice:
    """A disk by its kernel name. /sys/block/NAME points to devices/…/sessionN/targetH:C:T/H:C:T:L/block/NAME."""
    block = f"{sysfs}/block/{name}"
    try:
        parts = link_target(block).split("/")
    except OSError:
        return PathDevice(name, "", "", "")
    session = next((int(part[7:]) for part in parts if _ISCSI_SESSION.fullmatch(part)), None)
    return PathDevice(name, _read_word(f"{block}/dev"), parts[-3], _read_word(f"{block}/device/state"), session)


def _read_word(attribute: str) -> str:
    """Content of a sysfs attribute; empty where the device vanished between listing and reading."""
    try:
        return read_small(attribute).strip()
    except OSError:
        return ""
