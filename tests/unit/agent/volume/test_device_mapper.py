"""Bytes that go to and come from the device-mapper driver."""

from __future__ import annotations

import errno
import struct
import time

import pytest
from holdfast_agent.errors import VolumeError
from holdfast_agent.volume import device_mapper
from holdfast_agent.volume.device_mapper import create_mapped, encode_table, find_mapped, remove_mapped, resume_mapped
from holdfast_agent.volume.group import TableLine

HEADER = struct.Struct("@3IIIIiIIIQ128s129s7x")
TABLE = (TableLine(0, 8192, "linear", "253:3 2048"), TableLine(8192, 8192, "striped", "2 128 253:3 10240 253:4 2048"))


class Kernel:
    """Stands in for the ioctl: remembers calls, fails where told."""

    def __init__(self, failures: dict[int, list[int]] | None = None) -> None:
        self.failures = failures or {}
        self.calls: list[tuple[int, str, int]] = []

    def __call__(self, descriptor: int, request: int, buffer: bytearray) -> int:
        command = request & 0xFF
        fields = HEADER.unpack_from(buffer)
        self.calls.append((command, fields[11].rstrip(b"\0").decode(), fields[8]))
        queue = self.failures.get(command)
        if queue and (number := queue.pop(0)):
            raise OSError(number, "failed")
        name = fields[11]
        HEADER.pack_into(buffer, 0, 4, 0, 0, len(buffer), HEADER.size, 0, 1, 0, 0, 0, 253 << 8 | 5, name, b"LVM-x")
        return 0


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel()
    monkeypatch.setattr(device_mapper.fcntl, "ioctl", made)
    monkeypatch.setattr(device_mapper.os, "open", lambda *_: 99)
    monkeypatch.setattr(device_mapper.os, "close", lambda _: None)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    return made


def test_targets_are_padded_and_chained() -> None:
    encoded = encode_table(TABLE)
    start, length, _, following, kind = struct.unpack_from("@QQiI16s", encoded)
    assert (start, length, kind.rstrip(b"\0")) == (0, 8192, b"linear")
    assert following % 8 == 0
    assert encoded[40:].startswith(b"253:3 2048\0")
    assert struct.unpack_from("@QQiI16s", encoded, following)[0] == 8192


def test_create_loads_and_resumes_with_the_flag_for_udev(kernel: Kernel) -> None:
    mapped = create_mapped("vg_erp-data", "LVM-x", TABLE)
    assert [call[0] for call in kernel.calls] == [3, 9, 6]
    assert kernel.calls[2][2] == 0x40 << 16
    assert (mapped.device, mapped.major) == ("/dev/dm-5", 253)


def test_a_refused_table_leaves_no_device_behind(kernel: Kernel) -> None:
    kernel.failures = {9: [errno.EINVAL]}
    with pytest.raises(VolumeError):
        create_mapped("vg_erp-data", "LVM-x", TABLE)
    assert [call[0] for call in kernel.calls] == [3, 9, 4]


def test_remove_waits_for_udev_and_ends_at_the_deadline(kernel: Kernel) -> None:
    kernel.failures = {4: [errno.EBUSY, errno.EBUSY]}
    remove_mapped("vg_erp-data", 5)
    assert len(kernel.calls) == 3
    kernel.failures = {4: [errno.EBUSY] * 3}
    with pytest.raises(VolumeError):
        remove_mapped("vg_erp-data", -1)


def test_what_is_gone_is_removed_and_not_found(kernel: Kernel) -> None:
    kernel.failures = {4: [errno.ENXIO], 7: [errno.ENXIO]}
    remove_mapped("vg_erp-data", 1)
    assert find_mapped("vg_erp-data") is None


def test_resume_reports_a_refusal(kernel: Kernel) -> None:
    kernel.failures = {6: [errno.EIO]}
    with pytest.raises(VolumeError, match="resumed"):
        resume_mapped("erp-data")
