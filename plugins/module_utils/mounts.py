# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""What is mounted where, read from the kernel."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

MOUNTINFO = "/proc/self/mountinfo"


class Mount(NamedTuple):
    """One mount: number of its device (C(253:5)), mount point, type, and the source as it was told to mount(2).

    The source is a name that somebody chose (C(/dev/dm-5), C(/dev/mapper/vg-data)); which device it is, the number tells.
    """

    number: str
    path: str
    fstype: str
    source: str


def list_mounts(path=MOUNTINFO):
    """Everything that is mounted here."""
    return parse_mountinfo(Path(path).read_text(encoding="utf-8", errors="surrogateescape"))


def parse_mountinfo(text):
    """A list of L(Mount) (proc(5), /proc/pid/mountinfo: fields 3 and 5, and the two after the dash)."""
    mounts = []
    for line in text.splitlines():
        fields = line.split(" ")
        separator = fields.index("-")
        mounts.append(Mount(fields[2], _unescape(fields[4]), fields[separator + 1], _unescape(fields[separator + 2])))
    return mounts


def _unescape(text):
    """Blank, tab, newline and backslash are written as octal."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text


def is_mounted(path):
    """Whether something is mounted at exactly this path."""
    return any(mount.path == str(path) for mount in list_mounts())
