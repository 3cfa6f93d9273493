# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Storage that hangs, fails or is full."""

from __future__ import annotations

import os
from abc import abstractmethod
from pathlib import Path

from ..command import run
from ..errors import HoldfastError
from .base import Fault

FILLER = ".holdfast-fault-filler"
CHUNKS = (1 << 28, 1 << 22, 1 << 16, 1 << 12)
# A file system counts as full below this; XFS keeps a few blocks back for itself.
FULL_BELOW_BYTES = 1 << 20


class StorageHang(Fault):
    """The maps of the package's data LUNs are suspended: requests wait, and no error ever comes."""

    needs_package = True

    def maps(self):
        return [lun["name"] for lun in self.context.package["storage"]["luns"]]

    def inject(self):
        for name in self.maps():
            run(["dmsetup", "suspend", "--noflush", "--nolockfs", name])

    def prove(self):
        states = {n: run(["dmsetup", "info", "-c", "--noheadings", "-o", "suspended", n]).strip() for n in self.maps()}
        return all(state == "Suspended" for state in states.values()), f"maps: {states}"

    def heal_commands(self):
        return [["dmsetup", "resume", name] for name in self.maps()]


class OtherTable(Fault):
    """Common to faults that give the package's logical volumes another device-mapper table for a while."""

    needs_package = True

    @abstractmethod
    def target(self, device, offset):
        """Target and arguments in the place of C(linear DEVICE OFFSET)."""

    def volumes(self):
        """Device-mapper names of the package's volumes; a dash in a name is doubled (lvm(8))."""
        storage = self.context.package["storage"]
        group = storage["volume_group"].replace("-", "--")
        return [f"{group}-{fs['volume'].replace('-', '--')}" for fs in storage["filesystems"]]

    def remember(self):
        return {"tables": {name: run(["dmsetup", "table", name]).strip() for name in self.volumes()}}

    def inject(self):
        for name, table in self.memory["tables"].items():
            for command in build_replace_commands(name, self.build_table(table)):
                run(command)

    def build_table(self, table):
        """The same extents with the other target."""
        lines = []
        for line in table.splitlines():
            start, length, kind, device, offset = line.split()[:5]
            if kind != "linear":
                raise HoldfastError(f"a volume with a {kind} line is not supported: {line}")
            lines.append(" ".join([start, length, *self.target(device, offset)]))
        return "\n".join(lines)

    def prove(self):
        tables = {name: run(["dmsetup", "table", name]).split()[2] for name in self.volumes()}
        wanted = self.target("", "")[0]
        return all(kind == wanted for kind in tables.values()), f"tables: {tables}"

    def heal_commands(self):
        commands = []
        for name, table in self.memory.get("tables", {}).items():
            commands += build_replace_commands(name, table)
        return commands


class WriteError(OtherTable):
    """Always down, fails writes and serves reads (dm-flakey, error_writes)."""

    def target(self, device, offset):
        return ["flakey", device, offset, "0", "3600", "1", "error_writes"]


class StorageSlow(OtherTable):
    """Every read, write and flush is held back (dm-delay).

    Not done by late packets: they shrink what a connection carries as well, and a burst of writes then stands before
    iSCSI's own pings until both paths are given up, which no slow array does.
    """

    required = ("milliseconds",)

    def target(self, device, offset):
        return ["delay", device, offset, f"{self.parameters['milliseconds']:.0f}"]


def build_replace_commands(name, table):
    """Commands that exchange the live table."""
    return [
        ["dmsetup", "suspend", "--noflush", "--nolockfs", name],
        ["dmsetup", "load", name, "--table", table],
        ["dmsetup", "resume", name],
    ]


class DiskFull(Fault):
    """A file takes all the free blocks of a file system."""

    required = ("where",)

    def folder(self):
        if self.parameters["where"] == "var":
            return Path("/var/tmp")
        filesystems = self.context.package.get("storage", {}).get("filesystems", [])
        if not filesystems:
            raise HoldfastError("the package has no file system")
        return Path(filesystems[0]["path"])

    def inject(self):
        if self.parameters["where"] == "data" and not os.path.ismount(self.folder()):
            raise HoldfastError(f"{self.folder()} is not mounted here")
        fill(self.folder() / FILLER)

    def prove(self):
        seen = os.statvfs(self.folder())
        free = seen.f_bavail * seen.f_frsize
        return free < FULL_BELOW_BYTES, f"{free} bytes free in {self.folder()}"

    def heal_commands(self):
        return [["rm", "-f", str(self.folder() / FILLER)]]


def fill(path):
    """Allocate in ever smaller pieces until nothing is left."""
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    size = 0
    try:
        for chunk in CHUNKS:
            try:
                while True:
                    os.posix_fallocate(descriptor, size, chunk)
                    size += chunk
            except OSError:
                continue
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
