"""Rules about what an array can hold, where somebody asked it; an array that was not asked is not judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .inventory import Inventory
from .lun_rules import MIB, lun_size
from .problems import Problem

_ROOT = "holdfast_luns"
Located = tuple[int, dict[str, Any]]


def check_capacity(luns: list[dict[str, Any]], inventory: Inventory) -> list[Problem]:
    """LUNs that are larger than what is behind them, alone or together."""
    problems: list[Problem] = []
    for array in inventory.arrays:
        measured = inventory.hosts[array].capacity
        if measured is not None:
            own = [(index, lun) for index, lun in enumerate(luns) if lun and _array_of(lun, inventory) == array]
            files = [(index, lun) for index, lun in own if lun.get("name") not in measured["devices"]]
            problems += [*_check_devices(array, own, measured["devices"]), *_check_files(array, files, measured["files"])]
    return problems


def _array_of(lun: dict[str, Any], inventory: Inventory) -> str | None:
    return None if lun.get("wwid") else lun.get("array") or inventory.arrays[0]


def _check_devices(array: str, luns: list[Located], devices: Mapping[str, Any]) -> Iterator[Problem]:
    known = {lun.get("name"): (index, lun_size(lun) or 0) for index, lun in luns}
    for name, device in devices.items():
        where = f"{array}.iscsi_target_lun_devices.{name}"
        if name not in known:
            yield Problem(where, f"no LUN of {array} is called that")
        elif device["bytes"] is None:
            yield Problem(where, f"{device['path']} is not a block device there")
        elif known[name][1] > device["bytes"]:
            words = f"{device['path']} of {array} is too small: it has {device['bytes'] // MIB} MiB"
            yield Problem(f"{_ROOT}[{known[name][0]}].size", words)


def _check_files(array: str, luns: list[Located], files: Mapping[str, Any]) -> Iterator[Problem]:
    """The LUN with which it is too much is the one to name; files are sparse, so that nothing else would tell in time."""
    if files["bytes"] is None:
        yield Problem(f"{array}.iscsi_target_disk", f"{files['place']} is not a block device there")
        return
    needed = 0
    for index, lun in luns:
        needed += lun_size(lun) or 0
        if needed > files["bytes"]:
            total = sum(lun_size(lun) or 0 for _index, lun in luns)
            words = f"its LUNs need {total // MIB} MiB, {files['bytes'] // MIB} MiB fit"
            yield Problem(f"{_ROOT}[{index}].size", f"{files['place']} of {array} is too small: {words}")
            return
