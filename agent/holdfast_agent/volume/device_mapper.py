"""The few device-mapper ioctls that activation needs, spoken to /dev/mapper/control.

Nothing waits for udev: the node /dev/dm-N exists (devtmpfs) as soon as the table is resumed. udev still makes the
/dev/mapper and /dev/<group> links a moment later, because the events carry the "primary source" flag that its
rules look for (10-dm.rules).
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import VolumeError
from ..waiting import wait_for
from .group import TableLine

# include/uapi/linux/dm-ioctl.h: struct dm_ioctl without its flexible tail (312 bytes), struct dm_target_spec.
_HEADER = struct.Struct("@3IIIIiIIIQ128s129s7x")
_TARGET = struct.Struct("@QQiI16s")
_VERSION = (4, 0, 0)
_CREATE, _REMOVE, _SUSPEND, _STATUS, _LOAD, _TABLE, _MESSAGE = 3, 4, 6, 7, 9, 12, 14
_DM_IOCTL, _READ_WRITE = 0xFD, 3
_SUSPEND_FLAG, _STATUS_TABLE_FLAG, _SKIP_LOCKFS_FLAG, _NOFLUSH_FLAG = 1 << 1, 1 << 4, 1 << 10, 1 << 11
# device_mapper/all.h: flags travel in the upper 16 bits of the udev cookie; no semaphore, so the lower bits stay 0.
_PRIMARY_SOURCE_COOKIE = 0x0040 << 16
_BUFFER_BYTES = 16384
_CONTROL = "/dev/mapper/control"
# libdm retries a busy remove because udev's own probing holds the device for moments; so does this, more often.
_BUSY_POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Mapped:
    """A mapped device as the kernel knows it."""

    name: str
    uuid: str
    major: int
    minor: int
    open_count: int

    @property
    def device(self) -> str:
        """Device node that exists without udev."""
        return f"/dev/dm-{self.minor}"


def find_mapped(name: str) -> Mapped | None:
    """The mapped device of this name, None where there is none."""
    try:
        return _mapped(_call(_STATUS, name))
    except OSError as error:
        if error.errno == errno.ENXIO:
            return None
        raise VolumeError(f"{name}: device-mapper status failed: {error.strerror}") from error


def read_table(name: str) -> tuple[TableLine, ...]:
    """The live table of a mapped device."""
    reply = _call(_TABLE, name, flags=_STATUS_TABLE_FLAG)
    fields = _HEADER.unpack_from(reply)
    start_of_data, count = fields[4], fields[5]
    lines, offset = [], start_of_data
    for _ in range(count):
        start, length, _, following, kind = _TARGET.unpack_from(reply, offset)
        parameters = reply[offset + _TARGET.size :].partition(b"\0")[0].decode().strip()
        lines.append(TableLine(start, length, kind.rstrip(b"\0").decode(), parameters))
        offset = start_of_data + following
    return tuple(lines)


def create_mapped(name: str, uuid: str, table: Sequence[TableLine]) -> Mapped:
    """Create, load and resume in one go; what was created is removed again where a later step fails."""
    try:
        _call(_CREATE, name, uuid=uuid)
        try:
            _call(_LOAD, name, payload=encode_table(table), targets=len(table))
            return _mapped(_call(_SUSPEND, name, cookie=_PRIMARY_SOURCE_COOKIE))
        except OSError:
            _call(_REMOVE, name)
            raise
    except OSError as error:
        raise VolumeError(f"{name}: device-mapper refused the table: {error.strerror}", errno=error.errno) from error


def remove_mapped(name: str, timeout_seconds: float) -> None:
    """Remove a mapped device; being busy is waited out, being gone is success."""
    deadline = time.monotonic() + timeout_seconds
    code = wait_for(lambda: _try_remove(name), deadline, _BUSY_POLL_SECONDS, lambda code: code != errno.EBUSY)
    if code not in (0, errno.ENXIO):
        raise VolumeError(f"{name}: cannot be removed: {os.strerror(code)}", errno=code)


def _try_remove(name: str) -> int:
    """Errno of a removal, 0 where it is done."""
    try:
        _call(_REMOVE, name, cookie=_PRIMARY_SOURCE_COOKIE)
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def suspend_mapped(name: str) -> None:
    """Hold back I/O; what is inside already is neither flushed nor failed (needs a target that can push back)."""
    _change(name, _SUSPEND, "suspended", flags=_SUSPEND_FLAG | _SKIP_LOCKFS_FLAG | _NOFLUSH_FLAG)


def resume_mapped(name: str) -> None:
    """Let I/O flow again; a device that is not suspended stays as it is."""
    _change(name, _SUSPEND, "resumed", cookie=_PRIMARY_SOURCE_COOKIE)


def send_mapped_message(name: str, message: str) -> None:
    """Give the target at sector 0 a message, for example ``reinstate_path 8:16`` to a multipath map."""
    _change(name, _MESSAGE, "told", payload=struct.pack("=Q", 0) + message.encode() + b"\0")


def _change(name: str, command: int, word: str, *, flags: int = 0, cookie: int = 0, payload: bytes = b"") -> None:
    try:
        _call(command, name, flags=flags, cookie=cookie, payload=payload)
    except OSError as error:
        raise VolumeError(f"{name}: cannot be {word}: {error.strerror}", errno=error.errno) from error


def encode_table(table: Sequence[TableLine]) -> bytes:
    """Target specifications as the kernel reads them: each padded to 8 bytes, "next" relative to itself."""
    encoded = b""
    for line in table:
        text = line.parameters.encode() + b"\0"
        text += b"\0" * (-(_TARGET.size + len(text)) % 8)
        encoded += _TARGET.pack(line.start, line.length, 0, _TARGET.size + len(text), line.target.encode()) + text
    return encoded


def _call(
    command: int, name: str, *, uuid: str = "", payload: bytes = b"", targets: int = 0, flags: int = 0, cookie: int = 0
) -> bytes:
    size = max(_BUFFER_BYTES, _HEADER.size + len(payload))
    # The kernel takes either a name or a uuid to find a device; the uuid is only given when one is created.
    header = _HEADER.pack(
        *_VERSION, size, _HEADER.size, targets, 0, flags, cookie, 0, 0, name.encode(), uuid.encode()
    )
    buffer = bytearray((header + payload).ljust(size, b"\0"))
    request = (_READ_WRITE << 30) | (_HEADER.size << 16) | (_DM_IOCTL << 8) | command
    control = os.open(_CONTROL, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(control, request, buffer)
    finally:
        os.close(control)
    return bytes(buffer)


def _mapped(reply: bytes) -> Mapped:
    fields = _HEADER.unpack_from(reply)
    open_count, device = fields[6], fields[10]
    name, uuid = (field.partition(b"\0")[0].decode() for field in fields[11:13])
    # new_encode_dev (include/linux/kdev_t.h): minor bits 0-7 and 20-31, major bits 8-19.
    return Mapped(name, uuid, (device >> 8) & 0xFFF, (device & 0xFF) | ((device >> 12) & 0xFFF00), open_count)
