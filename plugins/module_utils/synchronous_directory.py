# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""A directory whose files are on disk as soon as they are written, whoever writes them.

The kernel's target writes registrations to a file without fsync (target_core_pr.c, __core_scsi3_write_aptpl_to_file): a power cut
of the array within seconds of a takeover brings back the reservations from before it, and with them the old owner's permission
to write. Seen in the lab. The attribute C(S) of C(chattr) makes every write synchronous; new files inherit it (ext4:
EXT4_FL_INHERITED, XFS: fs.xfs.inherit_sync).
"""

from __future__ import annotations

import fcntl
import os
import struct

from .errors import HoldfastError

# include/uapi/linux/fs.h
_FS_IOC_GETFLAGS, _FS_IOC_SETFLAGS, _FS_SYNC_FL = 0x80086601, 0x40086602, 0x00000008


def is_synchronous(directory):
    """Whether I(directory) exists and it and all its files carry the attribute."""
    return directory.is_dir() and all(_read_flags(path) & _FS_SYNC_FL for path in (directory, *directory.iterdir()))


def make_synchronous(directory):
    """Create I(directory) if it is missing, and set the attribute on it and on what is in it."""
    directory.mkdir(parents=True, exist_ok=True)
    for path in (directory, *directory.iterdir()):
        _write_flags(path, _read_flags(path) | _FS_SYNC_FL)


def _read_flags(path):
    buffer = bytearray(8)
    _ioctl(path, _FS_IOC_GETFLAGS, buffer)
    return struct.unpack("=L4x", buffer)[0]


def _write_flags(path, flags):
    _ioctl(path, _FS_IOC_SETFLAGS, bytearray(struct.pack("=L4x", flags)))


def _ioctl(path, request, buffer):
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        fcntl.ioctl(descriptor, request, buffer)
    except OSError as error:
        raise HoldfastError(
            f"the file system of {path} cannot make writes synchronous ({error.strerror}); put it on ext4 or XFS", path=str(path)
        ) from error
    finally:
        os.close(descriptor)
