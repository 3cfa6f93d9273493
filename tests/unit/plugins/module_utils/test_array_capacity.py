"""What an array can hold, measured before anything is on it and after."""

from __future__ import annotations

import os

from ansible_collections.holdfast.cluster.plugins.module_utils import array_capacity

GIB = 2**30


def test_a_file_system_takes_its_share_of_a_blank_disk():
    # mke2fs 1.47.0 took 109857 of 4194304 blocks (dumpe2fs, overhead clusters).
    assert 15 * GIB < array_capacity.filesystem_bytes(16 * GIB) < (4194304 - 109857) * 4096
    assert array_capacity.filesystem_bytes(1024 * GIB) == 1024 * GIB - 16 * GIB - GIB


def test_a_disk_that_does_not_exist_holds_nothing_that_is_known(tmp_path):
    found = array_capacity.read_capacity(str(tmp_path / "none"), str(tmp_path), {"erp-data": str(tmp_path)})
    assert found == {
        "files": {"place": str(tmp_path / "none"), "bytes": None},
        "devices": {"erp-data": {"path": str(tmp_path), "bytes": None}},
    }


def test_what_the_lun_files_have_taken_counts_as_room(tmp_path, monkeypatch):
    monkeypatch.setattr(array_capacity, "_statvfs_bytes", lambda path, field: GIB)
    directory = tmp_path / "luns"
    assert array_capacity.read_capacity("", str(directory), {})["files"] == {"place": str(directory), "bytes": GIB}
    directory.mkdir()
    with (directory / "erp-data").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 2**20)
    assert array_capacity.read_capacity("", str(directory), {})["files"]["bytes"] == GIB + 2**20
