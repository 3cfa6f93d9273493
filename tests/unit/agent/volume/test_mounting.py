"""Mount options, and unmounting against a made-up kernel."""

from __future__ import annotations

import ctypes
import errno
import time
from pathlib import Path

import pytest
from holdfast_agent.errors import MountError
from holdfast_agent.volume import mounting
from holdfast_agent.volume.block import Mount


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", (0, "")),
        ("defaults", (0, "")),
        ("noatime,logbufs=8,ro", (1024 | 1, "logbufs=8")),
        ("_netdev,x-systemd.automount,nofail,nodev", (4, "")),
    ],
)
def test_flags_and_own_options_are_told_apart(options: str, expected: tuple[int, str]) -> None:
    assert mounting.split_options(options) == expected


class Libc:
    """mount and umount2 that answer from a list of errno values, 0 for success."""

    def __init__(self, mounted: list[Mount], answers: list[int]) -> None:
        self.mounted, self.answers = mounted, answers
        self.flags: list[int] = []

    def umount2(self, path: bytes, flags: int) -> int:
        self.flags.append(flags)
        number = self.answers.pop(0)
        if number:
            ctypes.set_errno(number)
            return -1
        self.mounted.pop()
        return 0

    def mount(self, *_: object) -> int:
        ctypes.set_errno(self.answers.pop(0))
        return -1


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch) -> list[Mount]:
    mounts = [Mount("253:5", "/srv/erp", "xfs")]
    monkeypatch.setattr(mounting, "list_mounts", lambda: tuple(mounts))
    monkeypatch.setattr(time, "sleep", lambda _: None)
    return mounts


def test_holders_are_ended_and_the_unmount_is_never_lazy(monkeypatch: pytest.MonkeyPatch, mounted: list[Mount]) -> None:
    libc, ended = Libc(mounted, [errno.EBUSY, 0]), []
    monkeypatch.setattr(mounting, "_LIBC", libc)
    monkeypatch.setattr(mounting, "end_holders", lambda path, deadline: ended.append(path))
    mounting.unmount("/srv/erp", time.monotonic() + 5)
    assert ended == ["/srv/erp"]
    assert libc.flags == [8, 8]


def test_a_mount_that_stays_busy_is_told(monkeypatch: pytest.MonkeyPatch, mounted: list[Mount]) -> None:
    monkeypatch.setattr(mounting, "_LIBC", Libc(mounted, [errno.EBUSY]))
    monkeypatch.setattr(mounting, "end_holders", lambda path, deadline: None)
    with pytest.raises(MountError, match="busy"):
        mounting.unmount("/srv/erp", time.monotonic() - 1)


def test_not_mounted_is_unmounted(mounted: list[Mount]) -> None:
    mounting.unmount("/srv/other", 0.0)


def test_mounted_already_is_fine_and_another_device_is_not(mounted: list[Mount], tmp_path: Path) -> None:
    mounting.mount_device("/dev/dm-5", "253:5", "/srv/erp", "xfs", "")
    with pytest.raises(MountError, match="taken"):
        mounting.mount_device("/dev/dm-6", "253:6", "/srv/erp", "xfs", "")


def test_a_refused_mount_is_told(monkeypatch: pytest.MonkeyPatch, mounted: list[Mount], tmp_path: Path) -> None:
    monkeypatch.setattr(mounting, "_LIBC", Libc(mounted, [errno.EIO]))
    with pytest.raises(MountError, match="cannot be mounted"):
        mounting.mount_device("/dev/dm-7", "253:7", str(tmp_path / "new"), "xfs", "noatime")


def test_xfs_gives_up_on_metadata_it_cannot_write(tmp_path: Path) -> None:
    eio = tmp_path / "fs/xfs/dm-5/error/metadata/EIO"
    eio.mkdir(parents=True)
    (eio / "max_retries").write_text("-1")
    mounting.fail_metadata_errors("/dev/dm-5", tmp_path)
    assert (eio / "max_retries").read_text() == "0"
