"""Rules about LUNs: names, sizes, who provides them, who uses them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..errors import HoldfastError
from .inventory import Inventory
from .problems import Problem, find_duplicates
from .sizes import parse_size

_ROOT = "holdfast_luns"
MIB = 2**20
#: A share of the free space, as lvcreate --extents takes it.
_SHARE = re.compile(r"(100|[1-9][0-9]?)%FREE")
#: A lock LUN carries no file system; 16 MiB is what every array can make.
SMALLEST_LOCK_LUN = 16 * MIB
#: mkfs.xfs 6.x refuses anything below 300 MiB (xfsprogs, "Filesystem must be larger than 300MB").
SMALLEST_FILESYSTEM = {"xfs": 300 * MIB, "ext4": 64 * MIB}
#: LVM keeps 1 MiB of metadata and rounds a physical volume down to 4 MiB extents (lvmcreate defaults).
_EXTENT = 4 * MIB


def check_luns(luns: list[dict[str, Any]], inventory: Inventory) -> list[Problem]:
    """What is wrong with the LUNs taken by themselves."""
    located = [(f"{_ROOT}[{index}]", lun or {}) for index, lun in enumerate(luns)]
    problems = find_duplicates(((f"{path}.name", lun["name"]) for path, lun in located if lun.get("name")), "LUN")
    problems += find_duplicates(((f"{path}.wwid", lun["wwid"]) for path, lun in located if lun.get("wwid")), "WWID")
    for path, lun in located:
        problems += _check_lun(path, lun, inventory)
    return problems


def _check_lun(path: str, lun: dict[str, Any], inventory: Inventory) -> Iterator[Problem]:
    if lun_size(lun) is None and lun.get("size"):
        yield Problem(f"{path}.size", f"{lun['size']!r} is not a size such as 64 MiB or 4 GiB")
    if lun.get("array") and lun.get("wwid"):
        yield Problem(path, "give either array or wwid, not both")
    elif lun.get("array") and lun["array"] not in inventory.arrays:
        yield Problem(f"{path}.array", f"{lun['array']} is not a host of group array")
    elif not lun.get("array") and not lun.get("wwid") and len(inventory.arrays) != 1:
        yield Problem(path, f"array or wwid is needed, because group array has {len(inventory.arrays)} hosts")


def lun_size(lun: dict[str, Any]) -> int | None:
    """Bytes of a LUN, or None where its size cannot be read."""
    try:
        return parse_size(lun["size"]) or None
    except (KeyError, HoldfastError):
        return None


def check_usage(packages: list[dict[str, Any]], luns: list[dict[str, Any]]) -> list[Problem]:
    """Unknown LUNs, LUNs used twice, and LUNs too small for what they carry."""
    known = {lun["name"]: lun for lun in luns if lun and lun.get("name")}
    used = list(_used_luns(packages))
    problems = [Problem(path, f"{name} is not in {_ROOT}") for path, name in used if name not in known]
    problems += find_duplicates(used, "LUN")
    for index, package in enumerate(packages):
        storage = (package or {}).get("storage") or {}
        problems += _check_capacity(f"holdfast_packages[{index}].storage", storage, known)
    return problems


def _used_luns(packages: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for index, package in enumerate(packages):
        storage = (package or {}).get("storage") or {}
        path = f"holdfast_packages[{index}].storage"
        if storage.get("lock_lun"):
            yield f"{path}.lock_lun", storage["lock_lun"]
        for position, name in enumerate(storage.get("luns") or []):
            if name:
                yield f"{path}.luns[{position}]", name


def _check_capacity(path: str, storage: dict[str, Any], known: dict[str, dict[str, Any]]) -> Iterator[Problem]:
    lock = lun_size(known.get(storage.get("lock_lun") or "", {}))
    if lock is not None and lock < SMALLEST_LOCK_LUN:
        yield Problem(f"{path}.lock_lun", f"{storage['lock_lun']} is too small; a lock LUN needs {SMALLEST_LOCK_LUN // MIB} MiB")
    sizes = [lun_size(known.get(name or "", {})) for name in storage.get("luns") or []]
    if not sizes or None in sizes:
        return
    capacity = sum((size - MIB) // _EXTENT * _EXTENT for size in sizes if size)
    yield from _check_volumes(path, storage, capacity)


def _check_volumes(path: str, storage: dict[str, Any], capacity: int) -> Iterator[Problem]:
    needed = 0
    for index, filesystem in enumerate(storage.get("filesystems") or []):
        where = f"{path}.filesystems[{index}]"
        size, fstype = (filesystem or {}).get("size"), (filesystem or {}).get("fstype")
        if not size:
            continue
        smallest = SMALLEST_FILESYSTEM.get(str(fstype), 0)
        if _SHARE.fullmatch(size):
            needed += smallest
            continue
        try:
            wanted = parse_size(size)
        except HoldfastError as error:
            yield Problem(f"{where}.size", f"{error}, nor is it a share such as 100%FREE")
            continue
        needed += max(wanted, smallest)
        if wanted < smallest:
            yield Problem(f"{where}.size", f"{fstype} needs at least {smallest // MIB} MiB")
    if needed > capacity:
        yield Problem(f"{path}.luns", f"too small: {needed // MIB} MiB needed, {max(capacity, 0) // MIB} MiB usable")
