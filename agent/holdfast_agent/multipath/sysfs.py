"""WWID to map to paths, read from sysfs alone: no process is started and multipathd is not asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

# drivers/md/dm-mpath sets no prefix itself; multipath-tools names its maps "mpath-<WWID>" in the dm uuid.
_MAP_UUID_PREFIX = "mpath-"
# drivers/scsi/scsi_transport_iscsi.c: the session is a parent of its targets and disks.
_ISCSI_SESSION = re.compile(r"session\d+")


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
    """A multipath map with the paths that it is made of now."""

    wwid: str
    name: str
    kernel_name: str
    paths: tuple[PathDevice, ...]

    @property
    def device(self) -> str:
        """Device node of the map that exists without udev."""
        return f"/dev/{self.kernel_name}"


def list_maps(sysfs: Path = Path("/sys")) -> dict[str, MultipathMap]:
    """Every multipath map of the node by WWID."""
    maps = {}
    for block in sorted((sysfs / "block").glob("dm-*")):
        uuid = _read_word(block / "dm/uuid")
        if uuid.startswith(_MAP_UUID_PREFIX):
            wwid = uuid.removeprefix(_MAP_UUID_PREFIX)
            maps[wwid] = MultipathMap(wwid, _read_word(block / "dm/name"), block.name, _map_paths(block))
    return maps


def list_paths(wwids: frozenset[str], sysfs: Path = Path("/sys")) -> dict[str, tuple[PathDevice, ...]]:
    """By WWID: every SCSI disk that reports it, also one that its map does not hold (yet)."""
    found: dict[str, list[PathDevice]] = {wwid: [] for wwid in wwids}
    for block in sorted((sysfs / "block").glob("sd*")):
        # The kernel spells an NAA designator "naa.<hex>" where multipath writes "3<hex>".
        wwid = "3" + _read_word(block / "device/wwid").removeprefix("naa.")
        if wwid in found:
            found[wwid].append(_path_device(block))
    return {wwid: tuple(paths) for wwid, paths in found.items()}


def read_state(name: str, sysfs: Path = Path("/sys")) -> str:
    """The kernel's state word of a path now; "gone" where the device vanished."""
    return _read_word(sysfs / "block" / name / "device/state") or "gone"


def _map_paths(block: Path) -> tuple[PathDevice, ...]:
    slaves = sorted(slave.name for slave in (block / "slaves").iterdir())
    return tuple(_path_device(block.parent / name) for name in slaves)


def _path_device(block: Path) -> PathDevice:
    device = (block / "device").resolve()
    session = next((int(part[7:]) for part in device.parts if _ISCSI_SESSION.fullmatch(part)), None)
    return PathDevice(block.name, _read_word(block / "dev"), device.name, _read_word(device / "state"), session)


def _read_word(attribute: Path) -> str:
    """Content of a sysfs attribute; empty where the device vanished between listing and reading."""
    try:
        return attribute.read_text().strip()
    except OSError:
        return ""
