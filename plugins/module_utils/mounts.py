# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""What is mounted where, read from the kernel."""

from __future__ import annotations

from pathlib import Path

MOUNTINFO = "/proc/self/mountinfo"


def parse_mountinfo(text):
    """Mount points with their source (proc(5), /proc/pid/mountinfo: field 5, and the second field after the dash)."""
    mounts = {}
    for line in text.splitlines():
        fields = line.split(" ")
        separator = fields.index("-")
        mounts[_unescape(fields[4])] = _unescape(fields[separator + 2])
    return mounts


def _unescape(text):
    """Blank, tab, newline and backslash are written as octal."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text


def is_mounted(path):
    """Whether something is mounted at exactly this path."""
    return str(path) in parse_mountinfo(Path(MOUNTINFO).read_text(encoding="utf-8", errors="surrogateescape"))
