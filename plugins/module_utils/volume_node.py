# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads and changes a shared volume group on a node."""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path

from .command import run
from .disk_filesystem import read_content
from .errors import HoldfastError, RefusedError
from .lvm_report import build_report_command, parse_report, parse_signatures
from .mounts import list_mounts
from .resource import Action, Resource
from .scsi_reservation_device import read_reservation
from .volume_plan import FILESYSTEM_TAG, expect_group, find_waiting, plan_group

DEVICES_FILE = Path("/etc/lvm/devices/system.devices")
_LVM_MEMBER = "LVM2_member"
# include/uapi: XFS_IOC_FSGEOMETRY_V1 is _IOR('X', 100, 112 bytes); block size at offset 0, data blocks at offset 32.
_XFS_GEOMETRY, _XFS_GEOMETRY_BYTES = 0x80705864, 112
# ext4 super block at 1024: low block count at 4, logarithm of the block size at 24, high block count at 336.
_EXT4_SUPER_BLOCK, _EXT4_SUPER_BLOCK_BYTES = 1024, 1024


class GroupResource(Resource):
    """One shared volume group, seen from one node."""

    def __init__(self, wanted, check_mode=False):
        self.wanted = wanted
        self.check_mode = check_mode

    def read(self):
        """The state described in volume_plan."""
        missing = [device for device in self.wanted.devices if not Path(device).exists()]
        if missing and self.check_mode:
            # The run that assembles the maps did not happen; what is on LUNs that are not there yet cannot be known.
            return bare_state(self.wanted.devices)
        # Nor did, perhaps, the step before this one that gives the node its name in LVM.
        return read_group(self.wanted.name, self.wanted.devices, may_lack_system_id=self.check_mode)

    def plan(self, before):
        """See L(plan_group)."""
        return plan_group(before, self.wanted)

    def expect(self, before):
        """See L(expect_group)."""
        return expect_group(before, self.wanted, self.plan(before))

    def public(self, state):
        """The state, with what has to wait in words."""
        shown = {key: state[key] for key in ("system_id", "group")}
        shown["devices"] = {
            device: {key: have[key] for key in ("size", "content", "group")} for device, have in state["devices"].items()
        }
        return {**shown, "devices_file": sorted(state["devices_file"]), "waiting": find_waiting(state, self.wanted)}

    def apply(self, action):
        """Carry out one action."""
        getattr(self, "_" + action.verb)(action.subject, **action.detail)

    def _list_device(self, device):
        if not DEVICES_FILE.exists():
            # The first device file of a node must also name what it already uses, its root disk perhaps.
            # Exit code 5, "no volume group found to import", is the usual answer on a node without LVM.
            run(["lvm", "vgimportdevices", "--all"], expected=(0, 5))
        run(["lvm", "lvmdevices", "--yes", "--adddev", device])

    def _create_group(self, name, devices):
        run(self._lvm("vgcreate", "--yes", "--systemid", read_system_id(), "--setautoactivation", "n", name, *devices))

    def _create_volume(self, name, size):
        amount = ["--size", f"{size}b"] if isinstance(size, int) else ["--extents", size]
        # Signatures in the volume's first bytes are left-overs of LUNs that were blank in front; mkfs refuses them.
        run(self._lvm("lvcreate", "--yes", "--wipesignatures", "n", *amount, "--name", name, self.wanted.name))

    def _create_filesystem(self, name, fstype):
        """Make the file system, then the mark that it is complete. What is there without the mark is looked at first."""
        device = f"/dev/{self.wanted.name}/{name}"
        run(self._lvm("lvchange", "--activate", "y", f"{self.wanted.name}/{name}"))
        found = parse_signatures(run(["wipefs", "--json", "--no-act", device]))
        if found and found != [fstype]:
            raise RefusedError(f"{device} carries {', '.join(found)} where {fstype} was to be made; its data stays")
        options = ["-q", "-K", "-f"] if fstype == "xfs" else ["-q", "-F", "-E", "nodiscard"]
        run([f"mkfs.{fstype}", *options, device], timeout_seconds=600)
        run(self._lvm("lvchange", "--addtag", FILESYSTEM_TAG + fstype, f"{self.wanted.name}/{name}"))

    def _deactivate_group(self, name):
        run(self._lvm("vgchange", "--activate", "n", name))

    def _forbid_autoactivation(self, name):
        run(self._lvm("vgchange", "--setautoactivation", "n", name))

    def _resize_device(self, device, size):
        run(self._lvm("pvresize", device))

    def _add_device(self, device):
        run(self._lvm("vgextend", "--yes", self.wanted.name, device))

    def _grow_volume(self, name, size):
        amount = ["--size", f"{size}b"] if isinstance(size, int) else ["--extents", "+" + size]
        run(self._lvm("lvextend", "--yes", *amount, f"{self.wanted.name}/{name}"))
        mounted = _mounted_volumes(self.wanted.name)[name]
        self._grow_filesystem(name, mounted["fstype"])

    def _grow_filesystem(self, name, fstype):
        mounted = _mounted_volumes(self.wanted.name)[name]
        run(["xfs_growfs", mounted["path"]] if fstype == "xfs" else ["resize2fs", mounted["source"]], timeout_seconds=600)

    def _lvm(self, command, *arguments):
        return ["lvm", command, "--devices", ",".join(self.wanted.devices), *arguments]


class ForgottenDevices(Resource):
    """LUNs that LVM on this node no longer looks at; what is on them stays."""

    def __init__(self, devices):
        self.devices = devices

    def read(self):
        """The devices file."""
        return {"devices_file": read_devices_file()}

    def plan(self, before):
        """Take every listed LUN off the list."""
        return [Action("forget_device", device) for device in self.devices if device in before["devices_file"]]

    def expect(self, before):
        """The list without the LUNs."""
        return {"devices_file": [device for device in before["devices_file"] if device not in self.devices]}

    def apply(self, action):
        """One entry; LVM drops an empty file by itself."""
        run(["lvm", "lvmdevices", "--yes", "--deldev", action.subject])


def bare_state(devices):
    """The state of a node on which nothing was built yet."""
    blank = {"size": 0, "content": [], "group": None, "unused": False, "keys": []}
    return {"system_id": None, "devices_file": [], "devices": {device: dict(blank) for device in devices}, "group": None}


def read_system_id(may_be_missing=False):
    """This node's name in LVM; where it has none, None if that I(may_be_missing), else an L(HoldfastError)."""
    system_id = run(["lvm", "systemid"]).partition("system ID:")[2].strip()
    if not system_id and may_be_missing:
        return None
    if not system_id:
        raise HoldfastError("LVM on this node has no system ID: set local/system_id in /etc/lvm/lvmlocal.conf")
    return system_id


def read_group(name, devices, may_lack_system_id=False):
    """Everything that L(plan_group) needs to know."""
    present = [device for device in devices if Path(device).exists()]
    groups, members = parse_report(run(build_report_command(present))) if present else ({}, {})
    group = groups.get(name)
    if group is not None:
        for volume, mounted in _mounted_volumes(name).items():
            if volume in group["volumes"]:
                group["volumes"][volume].update(mounted=True, filesystem_size=mounted["size"])
    return {
        "system_id": read_system_id(may_lack_system_id),
        "devices_file": read_devices_file(),
        "devices": {device: _read_device(device, members.get(device)) for device in present},
        "group": group,
    }


def read_devices_file():
    """Devices that LVM on this node looks at (lvmdevices(8): lines with DEVNAME=)."""
    try:
        text = DEVICES_FILE.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    fields = [field for line in text.splitlines() if line.startswith("IDTYPE=") for field in line.split()]
    return [field.removeprefix("DEVNAME=") for field in fields if field.startswith("DEVNAME=")]


def _read_device(device, member):
    content = [_LVM_MEMBER] if member else read_content(device)
    with Path(device).open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
    return {
        "size": size,
        "content": content,
        "group": member.group if member else None,
        "unused": bool(member and member.unused),
        "keys": sorted(set(read_reservation(device)["keys"])),
    }


def _mounted_volumes(group):
    """Volume -> mount point, device, type and size of the file system of everything mounted from I(group) here."""
    mounted = {}
    for mount in list_mounts():
        volume = volume_of(mount.number, group)
        if volume is not None and volume not in mounted:
            size = _xfs_size(mount.path) if mount.fstype == "xfs" else _ext4_size(mount.source)
            mounted[volume] = {"path": mount.path, "source": mount.source, "fstype": mount.fstype, "size": size}
    return mounted


def volume_of(number, group, devices="/sys/dev/block"):
    """Name of I(group)'s volume with this device number; None for any other device.

    Device-mapper calls it C(vg_erp-data), and doubles a hyphen inside a name (libdm, dm_build_dm_name).
    """
    try:
        mapped = Path(devices, number, "dm", "name").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    prefix = group.replace("-", "--") + "-"
    rest = mapped.removeprefix(prefix)
    if rest == mapped or rest.startswith("-"):
        return None
    return rest.replace("--", "-")


def _xfs_size(path):
    buffer = bytearray(_XFS_GEOMETRY_BYTES)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.ioctl(descriptor, _XFS_GEOMETRY, buffer)
    finally:
        os.close(descriptor)
    (block_bytes,), (blocks,) = struct.unpack_from("=I", buffer), struct.unpack_from("=Q", buffer, 32)
    return block_bytes * blocks


def _ext4_size(device):
    with Path(device).open("rb") as stream:
        stream.seek(_EXT4_SUPER_BLOCK)
        block = stream.read(_EXT4_SUPER_BLOCK_BYTES)
    (low,), (logarithm,), (high,) = (struct.unpack_from("<I", block, offset) for offset in (4, 24, 336))
    return ((high << 32) + low) << (10 + logarithm)
