# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""How much an array can hold: the disk or the directory of its LUN files, and every block device that is a LUN."""

from __future__ import annotations

import os
from pathlib import Path

from .mounts import is_mounted

_GIB = 2**30
_SECTOR = 512  # stat(2): st_blocks counts these


def read_capacity(disk, directory, devices):
    """Bytes for LUN files and of each device; None where there is no such block device."""
    place = disk or directory
    return {
        "files": {"place": place, "bytes": _disk_bytes(disk, directory) if disk else _directory_bytes(Path(directory))},
        "devices": {name: {"path": path, "bytes": block_bytes(path)} for name, path in devices.items()},
    }


def block_bytes(path):
    """Size of a block device, None where it is none."""
    if not Path(path).is_block_device():
        return None
    with Path(path).open("rb") as stream:
        return stream.seek(0, os.SEEK_END)


def filesystem_bytes(size):
    """What ext4 leaves of a whole disk for files, rather too little than too much.

    mke2fs.conf(5): 256 bytes of inode for every 16 KiB; the journal is at most 1 GiB, on small disks up to a 32nd.
    """
    return size - size // 64 - min(size // 32, _GIB)


def _disk_bytes(disk, directory):
    if is_mounted(directory):
        return _statvfs_bytes(directory, "f_blocks")
    size = block_bytes(disk)
    return None if size is None else filesystem_bytes(size)


def _directory_bytes(directory):
    """What is free, and what the LUN files have taken already."""
    there = next(parent for parent in (directory, *directory.parents) if parent.exists())
    files = directory.iterdir() if directory.exists() else ()
    return _statvfs_bytes(there, "f_bavail") + sum(file.stat().st_blocks * _SECTOR for file in files)


def _statvfs_bytes(path, field):
    found = os.statvfs(path)
    return getattr(found, field) * found.f_frsize
