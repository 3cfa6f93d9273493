"""What is mounted where."""

from __future__ import annotations

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils.mounts import parse_mountinfo

from .support import recorded


def test_recorded_mounts_are_read():
    mounts = parse_mountinfo(recorded("mountinfo_7.2.txt"))
    assert mounts["/"] == "/dev/root"
    assert mounts["/proc"] == "proc"


def test_blanks_in_a_path_are_read():
    line = r"40 20 252:3 / /srv/my\040erp rw shared:9 - xfs /dev/mapper/vg-data rw"
    assert parse_mountinfo(line) == {"/srv/my erp": "/dev/mapper/vg-data"}


def test_other_text_is_an_error():
    with pytest.raises(ValueError, match="-"):
        parse_mountinfo("/dev/sda1 / ext4 rw 0 0")
