# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Finds the paths of a LUN and says which nexus each of them is. Reads sysfs only.

A registration belongs to a nexus: initiator name and ISID on one side, target port on the other. Both are known here
without a command: open-iscsi puts the session number into the ISID, the target port is in the path's VPD page 83h.
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from .errors import HoldfastError

# RFC 7143 11.12.5: the first three bytes of the ISIDs that open-iscsi uses (T=00b, its enterprise number 023Dh).
_OPEN_ISCSI_ISID = "00023d"
_DESIGNATOR_NAA, _DESIGNATOR_TARGET_PORT = 3, 4


@dataclass(frozen=True)
class LunPath:
    """One path: device node, state as the kernel sees it, and the nexus (None where it is no iSCSI path)."""

    device: str
    state: str
    session: int | None
    initiator: str | None
    target_port: int | None


def find_paths(lun, sysfs=Path("/sys"), dev=Path("/dev")):
    """All paths of I(lun): a WWID, a multipath map (C(/dev/mapper/erp-data)) or one path (C(/dev/sdb)).

    Raises L(HoldfastError) where there is none.
    """
    if lun.startswith("/"):
        names = _names_behind(lun, sysfs)
    else:
        names = sorted(name for name in _disk_names(sysfs) if read_wwid(name, sysfs) == lun)
    if not names:
        raise HoldfastError(f"{lun} has no path on this node: log in to its portals first", lun=lun)
    return [_describe(name, sysfs, dev) for name in names]


def _names_behind(device, sysfs):
    try:
        number = Path(device).stat().st_rdev
    except OSError as error:
        raise HoldfastError(f"{device} does not exist on this node", lun=device) from error
    block = sysfs / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}"
    slaves = block / "slaves"
    names = sorted(entry.name for entry in slaves.iterdir()) if slaves.is_dir() else []
    return names or [block.resolve().name]


def _disk_names(sysfs):
    return [entry.name for entry in (sysfs / "block").iterdir() if (entry / "device" / "vpd_pg83").exists()]


def read_wwid(name, sysfs=Path("/sys")):
    """WWID of a disk as multipath writes it: C(3) and the NAA designator of the logical unit; None without one."""
    for association, kind, value in _designators(name, sysfs):
        if (association, kind) == (0, _DESIGNATOR_NAA):
            return "3" + value.hex()
    return None


def _designators(name, sysfs):
    """(association, type, value) of every designator in VPD page 83h (SPC-4 7.8.6)."""
    try:
        page = (sysfs / "block" / name / "device" / "vpd_pg83").read_bytes()
    except OSError:
        return
    offset = 4
    while offset + 4 <= len(page):
        length = page[offset + 3]
        yield (page[offset + 1] >> 4) & 0x03, page[offset + 1] & 0x0F, page[offset + 4 : offset + 4 + length]
        offset += 4 + length


def _describe(name, sysfs, dev):
    session = _session_of(name, sysfs)
    return LunPath(
        device=str(dev / name),
        state=read_attribute(sysfs / "block" / name / "device" / "state"),
        session=session,
        initiator=_initiator_port(session, sysfs),
        target_port=_target_port(name, sysfs),
    )


def _session_of(name, sysfs):
    match = re.search(r"/session(\d+)/", str((sysfs / "block" / name / "device").resolve()))
    return int(match[1]) if match else None


def session_isid(session):
    """ISID of an open-iscsi session (usr/initiator.c: the session number in the last three bytes)."""
    return f"0x{_OPEN_ISCSI_ISID}{session & 0xFFFFFF:06x}"


def _initiator_port(session, sysfs):
    if session is None:
        return None
    name = read_attribute(sysfs / "class" / "iscsi_session" / f"session{session}" / "initiatorname")
    return f"{name},i,{session_isid(session)}" if name else None


def _target_port(name, sysfs):
    for association, kind, value in _designators(name, sysfs):
        if (association, kind) == (1, _DESIGNATOR_TARGET_PORT) and len(value) == 4:
            return struct.unpack(">I", value)[0]
    return None


def read_attribute(path):
    """An attribute in sysfs; empty where its device went away between a listing and this read."""
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
