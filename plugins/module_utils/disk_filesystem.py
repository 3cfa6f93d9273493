# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Puts a file system on a disk that carries nothing, and on no other."""

from __future__ import annotations

from pathlib import Path

from .command import run
from .errors import HoldfastError, RefusedError
from .lvm_report import parse_signatures
from .resource import Action, Resource

# A signature that no tool knows is still somebody's: a blank disk is blank in its first MiB.
BLANK_BYTES = 2**20
BYTES_PER_INODE = 4 * 2**20


def read_content(device):
    """Signatures on I(device); C(unknown data) where no tool knows what it is; an empty list for a blank one."""
    if not Path(device).is_block_device():
        raise HoldfastError(f"{device} is not a block device on this host", device=device)
    signatures = parse_signatures(run(["wipefs", "--json", "--no-act", device]))
    with Path(device).open("rb") as stream:
        if not signatures and any(stream.read(BLANK_BYTES)):
            return ["unknown data"]
    return signatures


class DiskFilesystem(Resource):
    """One ext4 file system over a whole disk."""

    def __init__(self, device, label):
        self.device = device
        self.label = label

    def read(self):
        """What the disk carries."""
        return {"device": self.device, "content": read_content(self.device)}

    def plan(self, before):
        """Make the file system on a blank disk; refuse anything but it."""
        if not before["content"]:
            return [Action("make_filesystem", self.device)]
        if before["content"] != ["ext4"]:
            found = ", ".join(before["content"])
            raise RefusedError(f"{self.device} carries {found}. Name a blank disk, or wipe this one by hand if nobody needs it")
        return []

    def expect(self, before):
        """The disk with its file system."""
        return {**before, "content": ["ext4"]}

    def apply(self, action):
        """Nothing is discarded: a thin disk behind the array keeps its blocks.

        It holds a few large files: one inode for 4 MiB (mke2fs.conf(5), largefile4) makes tables so small that they are written
        here and now. Those of the default, 1.6 % of the disk, would be written while the first databases are served.
        """
        layout = ["-i", str(BYTES_PER_INODE), "-E", "nodiscard,lazy_itable_init=0"]
        run(["mkfs.ext4", "-q", "-L", self.label, *layout, self.device], timeout_seconds=600)
