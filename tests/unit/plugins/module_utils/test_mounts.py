"""What is mounted where."""

from __future__ import annotations

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils.mounts import Mount, parse_mountinfo

from .support import recorded


def test_recorded_mounts_are_read():
    mounts = {mount.path: mount for mount in parse_mountinfo(recorded("mountinfo_7.2.txt"))}
    assert mounts["/"].source == "/dev/root"
    assert mounts["/proc"].fstype == "proc"


def test_blanks_in_a_path_are_read():
    line = r"40 20 252:3 / /srv/my\040erp rw shared:9 - xfs /dev/dm-3 rw"
    assert parse_mountinfo(line) == [Mount("252:3", "/srv/my erp", "xfs", "/dev/dm-3")]


def test_other_text_is_an_error():
    with pytest.raises(ValueError, match="-"):
        parse_mountinfo("/dev/sda1 / ext4 rw 0 0")
