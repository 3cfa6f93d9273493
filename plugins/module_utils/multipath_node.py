# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads and changes multipath maps on a node."""

from __future__ import annotations

import struct
from pathlib import Path

from .command import run, run_full
from .errors import CommandError, HoldfastError, RefusedError, ScsiError, WaitTimeoutError
from .file_set import add_to_note
from .mounts import list_mounts
from .multipath_json import parse_multipathd_maps
from .multipath_plan import expect_maps, plan_maps, plan_removal
from .resource import Action, Resource, wait_until
from .scsi_generic import SgDevice
from .scsi_paths import find_paths

_SECTOR_BYTES = 512
# READ CAPACITY (16), SBC-3 5.16.
_READ_CAPACITY_16 = struct.pack(">BB8xIBB", 0x9E, 0x10, 32, 0, 0)
MULTIPATHD_SOCKET_SILENT = "multipathd is not running on this node"
#: A map as AnsibleModule takes it.
MAP_OPTIONS = {
    "name": {"type": "str", "required": True},
    "wwid": {"type": "str", "required": True},
    "paths": {"type": "int", "default": 2},
}


class MapResource(Resource):
    """The maps of the named LUNs on one node."""

    def __init__(self, wanted, present, timeout_seconds, check_mode=False):
        self.wanted = wanted
        self.present = present
        self.timeout_seconds = timeout_seconds
        self.check_mode = check_mode

    def read(self):
        """Maps and paths of the named LUNs. In check mode a node without multipathd has no maps yet."""
        return read_maps([want["wwid"] for want in self.wanted], tolerate_missing=self.check_mode or not self.present)

    def plan(self, before):
        """See L(plan_maps) and L(plan_removal)."""
        return plan_maps(before, self.wanted) if self.present else plan_removal(before, self.wanted)

    def expect(self, before):
        """See L(expect_maps)."""
        return expect_maps(before, self.wanted, self.present)

    def apply(self, action):
        """Carry out one action."""
        getattr(self, "_" + action.verb)(action)

    def _scan_sessions(self, _action):
        for host in Path("/sys/class/iscsi_host").glob("host*"):
            Path("/sys/class/scsi_host", host.name, "scan").write_text("- - -", encoding="ascii")

    def _rescan_path(self, action):
        Path("/sys/block", Path(action.subject).name, "device", "rescan").write_text("1", encoding="ascii")

    def _assemble_map(self, action):
        """Wait for the daemon to do it; ask for it once, as a map that failed before is not tried again by itself."""
        name, wwid, paths = action.subject, action.detail["wwid"], action.detail["paths"]

        def find():
            have = read_maps([wwid])["maps"].get(name)
            return have if have is not None and have["wwid"] == wwid else None

        def is_complete():
            have = find()
            if have is None:
                run_full(["multipathd", "add", "map", wwid], expected=(0, 1))
                have = find()
            if have is None:
                return False, f"map {name} does not exist"
            return have["paths_up"] >= paths, f"map {name} has {have['paths_up']} of {paths} paths"

        try:
            wait_until(is_complete, self.timeout_seconds, interval_seconds=0.5)
        except WaitTimeoutError as error:
            raise HoldfastError(
                f"{error.details['last']} after {self.timeout_seconds} s: check the sessions and the storage networks",
                map=name,
                wwid=wwid,
            ) from error

    def _resize_map(self, action):
        run(["multipathd", "resize", "map", action.subject])

    def _flush_map(self, action):
        run(["multipath", "-f", action.subject])

    def _delete_path(self, action):
        Path("/sys/block", Path(action.subject).name, "device", "delete").write_text("1", encoding="ascii")


def read_maps(wwids=None, tolerate_missing=False):
    """All maps, and the paths of the LUNs in I(wwids) (default: of all maps)."""
    try:
        maps = parse_multipathd_maps(run(["multipathd", "show", "maps", "json"]))
    except HoldfastError as error:
        if not tolerate_missing:
            raise HoldfastError(f"{MULTIPATHD_SOCKET_SILENT}: {error.message}", **error.details) from error
        maps = {}
    for row in maps.values():
        row["size"] = _read_sectors(row["dm"])
        row["open_count"] = len(list(Path("/sys/block", row["dm"], "holders").glob("*"))) + _count_mounts(row["dm"])
    wanted = wwids if wwids is not None else sorted(row["wwid"] for row in maps.values())
    return {"maps": maps, "luns": {wwid: _read_lun(wwid) for wwid in wanted}}


def _count_mounts(dm):
    number = Path("/sys/block", dm, "dev").read_text(encoding="ascii").strip()
    return sum(mount.number == number for mount in list_mounts())


def _read_lun(wwid):
    try:
        paths = find_paths(wwid)
    except HoldfastError:
        return []
    return [
        {
            "device": path.device,
            "state": path.state,
            "session": path.session,
            "size": _read_sectors(Path(path.device).name),
            "capacity": _read_capacity(path.device),
        }
        for path in paths
    ]


def _read_sectors(name):
    return int(Path("/sys/block", name, "size").read_text(encoding="ascii")) * _SECTOR_BYTES


def _read_capacity(device):
    """Bytes as the LUN itself says; None where the path does not answer."""
    try:
        with SgDevice(device) as path:
            last_block, block_bytes = struct.unpack_from(">QI", path.receive(_READ_CAPACITY_16, 32))
    except ScsiError:
        return None
    return (last_block + 1) * block_bytes


class ConfigResource(Resource):
    """multipath.conf: written, checked by multipath itself, put back if it complains, then loaded by the daemon."""

    def __init__(self, path, content, note):
        self.path = Path(path)
        self.content = content
        self.note = Path(note)

    def read(self):
        """The file's text; empty where there is none. And whether a run was cut off before the daemon had loaded it."""
        try:
            content = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            content = ""
        return {"content": content, "loaded": not self.note.exists()}

    def plan(self, before):
        """Write where the text differs or was not loaded."""
        return [] if before == self.expect(before) else [Action("write", str(self.path))]

    def expect(self, before):
        """The wanted text, loaded."""
        return {**before, "content": self.content, "loaded": True}

    def apply(self, action):
        """Write, check, undo or load."""
        old = self.read()["content"]
        add_to_note(self.note, str(self.path))
        self.path.write_text(self.content, encoding="utf-8")
        complaints = run_full(["multipath", "-t"], expected=(0, 1)).stderr.strip()
        if complaints:
            self.path.write_text(old, encoding="utf-8")
            self.note.unlink()
            raise RefusedError(f"multipath does not accept the configuration: {complaints}; the old one is back in place")
        _load_configuration()
        self.note.unlink()


def _load_configuration():
    """Have the daemon read its configuration; one that does not run reads it when it starts.

    The daemon's client says "connect" where nobody listens (0.11), or ends with code 1 and no word (0.9).
    """
    try:
        run(["multipathd", "reconfigure"])
    except CommandError as error:
        said = (error.details["stderr"] + error.details["stdout"]).strip()
        if "connect" in said or (not said and not _daemon_runs()):
            return
        raise


def _daemon_runs():
    return run_full(["systemctl", "is-active", "--quiet", "multipathd.service"], expected=(0, 3, 4)).returncode == 0
