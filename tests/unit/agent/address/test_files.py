"""The two files shared with keepalived."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from holdfast_agent.address.notify_fifo import NotifyReader, RouterChange, open_notify_fifo
from holdfast_agent.address.track_file import write_track_file


def test_the_track_file_keeps_its_inode(tmp_path: Path) -> None:
    write_track_file("erp", True, tmp_path / "vip")
    inode = (tmp_path / "vip/erp").stat().st_ino
    assert (tmp_path / "vip/erp").read_text() == "0\n"
    write_track_file("erp", False, tmp_path / "vip")
    assert (tmp_path / "vip/erp").stat().st_ino == inode
    assert (tmp_path / "vip/erp").read_text() == "1\n"


def test_notifications_in_pieces(tmp_path: Path) -> None:
    handle = open_notify_fifo(tmp_path / "run/vrrp.fifo")
    reader = NotifyReader()
    assert reader.read(handle) == ()
    os.write(handle, b'INSTANCE "erp" BACKUP 254\nGROUP "g" MASTER 0\nINSTANCE "erp" MAS')
    assert reader.read(handle) == (RouterChange("erp", "BACKUP"),)
    os.write(handle, b"TER 254\nrubbish\n")
    assert reader.read(handle) == (RouterChange("erp", "MASTER"),)
    os.close(handle)


def test_a_plain_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vrrp.fifo").touch()
    with pytest.raises(OSError, match="not a FIFO"):
        open_notify_fifo(tmp_path / "vrrp.fifo")
