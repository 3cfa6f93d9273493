# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Which paths of a spare LUN let this node write: one block is read and written back, path by path, below multipath."""

from __future__ import annotations

import struct
from pathlib import Path

from .errors import RefusedError, ReservationConflict, ScsiError
from .scsi_generic import SgDevice
from .scsi_paths import find_paths

#: READ (10) and WRITE (10), SBC-4 5.11 and 5.40: operation, flags, first block, group, number of blocks, control.
_READ, _WRITE = 0x28, 0x2A
_CDB = struct.Struct(">BBIBHB")
WRITTEN, REFUSED = "written", "refused"


def probe_paths(lun, sysfs=Path("/sys")):
    """Path -> C(written), C(refused) by a reservation, or the words of another error.

    Raises RefusedError where anything stands on the LUN: it is not a spare one then.
    """
    paths = find_paths(lun)
    for path in paths:
        _refuse_used(Path(path.device).name, lun, sysfs)
    return {path.device: _probe_path(path.device, sysfs) for path in paths}


def _refuse_used(name, lun, sysfs):
    """The path's map may hold the path; whatever holds the map, such as a logical volume, is use."""
    holders = [holder.name for holder in (sysfs / "class" / "block" / name / "holders").iterdir()]
    users = [user.name for holder in holders for user in (sysfs / "class" / "block" / holder / "holders").iterdir()]
    partitions = list((sysfs / "class" / "block" / name).glob(name + "[0-9]*"))
    if users or partitions:
        raise RefusedError(f"{lun} is in use on this node; only a spare LUN is written to", lun=lun)


def _probe_path(device, sysfs):
    size = int((sysfs / "class" / "block" / Path(device).name / "queue" / "logical_block_size").read_text(encoding="ascii"))
    try:
        with SgDevice(device) as path:
            block = path.receive(_CDB.pack(_READ, 0, 0, 0, 1, 0), size)
            path.send(_CDB.pack(_WRITE, 0, 0, 0, 1, 0), block)
    except ReservationConflict:
        return REFUSED
    except ScsiError as error:
        return error.message
    return WRITTEN
