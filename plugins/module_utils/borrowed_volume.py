# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""A package's file systems on this node while its database is made, before any agent knows the package.

Invariant: mounted only under this node's own reservation of every LUN, and everything is given back in the end. Where
the agent already has the package's document, or any node holds a key on a LUN, nothing is touched.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

from .command import run
from .errors import HoldfastError
from .mounts import is_mounted
from .reservation_key import MAX_EPOCH, build_key
from .resource import sync
from .scsi_reservation_device import ReservationResource, read_reservation
from .scsi_reservation_plan import WantedReservation

DOCUMENT = "/etc/holdfast/packages/{package}.json"

_FILESYSTEM = {name: {"type": "str", "required": True} for name in ("volume", "fstype", "options")}
#: The option as AnsibleModule takes it; documented in doc_fragments/databases.py.
BORROW_OPTION = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "package": {"type": "str", "required": True},
        "cluster": {"type": "str", "required": True},
        "node_id": {"type": "int", "required": True},
        "luns": {"type": "list", "elements": "str", "required": True},
        "volume_group": {"type": "str", "required": True},
        "filesystems": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {**_FILESYSTEM, "path": {"type": "path", "required": True}},
        },
    },
}


def is_borrowable(volume):
    """Whether the package is still nobody's: no document of it here, not mounted, and no key on any of its LUNs."""
    if Path(DOCUMENT.format(package=volume["package"])).exists():
        return False
    if any(is_mounted(item["path"]) for item in volume["filesystems"]):
        return False
    return not any(read_reservation(_map(lun))["keys"] for lun in volume["luns"])


def is_assumed_new(volume):
    """For check mode: whether the database has to be made. A node without the maps is not built yet."""
    try:
        return is_borrowable(volume)
    except (HoldfastError, OSError):
        return True


@contextmanager
def borrow_volume(volume):
    """Reserve, activate and mount; unmount, deactivate and release in the end, also after an error."""
    undo = []
    try:
        for lun in volume["luns"]:
            undo.append(lambda lun=lun: _reserve(volume, lun, "absent"))
            _reserve(volume, lun, "reserved")
        undo.append(lambda: run(["vgchange", "--quiet", "--activate", "n", volume["volume_group"]]))
        run(["vgchange", "--quiet", "--activate", "y", volume["volume_group"]])
        for item in volume["filesystems"]:
            undo.append(lambda path=item["path"]: _unmount(path))
            _mount(volume["volume_group"], item)
        yield
    finally:
        _undo_all(undo)


def _undo_all(undo):
    """Every step back, also when one fails; the first error is the one that is told."""
    first_error = None
    for step in reversed(undo):
        try:
            step()
        except Exception as error:
            first_error = first_error or error
    if first_error is not None:
        raise first_error


def _map(lun):
    return f"/dev/mapper/{lun}"


def _reserve(volume, lun, level):
    """The highest epoch is never reached by an agent, so this key is never one of a running package."""
    key = build_key(volume["cluster"], volume["node_id"], MAX_EPOCH)
    sync(ReservationResource(_map(lun), WantedReservation(volume["cluster"], key, level)))


def _mount(group, item):
    Path(item["path"]).mkdir(parents=True, exist_ok=True)
    run(["mount", "-t", item["fstype"], "-o", item["options"], f"/dev/{group}/{item['volume']}", item["path"]])


def _unmount(path):
    if is_mounted(path):
        run(["umount", path])
