"""One SCSI command to one path device through the kernel's SG_IO ioctl.

The call blocks until the command ends or its timeout is worked off by the kernel, so only the threads of the
block-I/O child use it. A path whose session is blocked holds a command longer than its own timeout (up to the
session's recovery_tmo): the timer only starts when the command leaves for the wire.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

# include/scsi/sg.h: ioctl number, interface letter, transfer directions.
SG_IO = 0x2285
_INTERFACE_ID = ord("S")
_DXFER_NONE, _DXFER_TO_DEVICE, _DXFER_FROM_DEVICE = -1, -2, -3
# struct sg_io_hdr of include/scsi/sg.h on 64-bit Linux: native alignment, 88 bytes.
_HEADER = struct.Struct("@iiBBHIPPPIIiP4BHHiII4x")
# SPC-4 4.5.1: sense data never exceeds 252 bytes.
_SENSE_BYTES = 252


@dataclass(frozen=True)
class Reply:
    """What came back for one command: SCSI status, kernel statuses, sense bytes and the data read."""

    status: int
    host_status: int = 0
    driver_status: int = 0
    sense: bytes = b""
    data: bytes = b""
    duration_ms: int = 0


class Transport(Protocol):
    """Anything that carries a CDB to a logical unit; unit tests put recorded replies here."""

    def execute(self, cdb: bytes, *, send: bytes = b"", receive_bytes: int = 0, timeout_seconds: float) -> Reply:
        """Send one command and return the reply; raises OSError where the device node itself fails."""
        ...


class SgDevice:
    """An open path device (``/dev/sdX``) that executes commands."""

    def __init__(self, device: str) -> None:
        self.device = device
        # O_NONBLOCK: opening must not wait for media. Read-only on purpose: root may send any command through it, and
        # closing a descriptor that was open for writing makes udev probe the path again each time.
        self._fd = os.open(device, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    def __enter__(self) -> SgDevice:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the device node."""
        os.close(self._fd)

    def execute(self, cdb: bytes, *, send: bytes = b"", receive_bytes: int = 0, timeout_seconds: float) -> Reply:
        """Execute one command; ``timeout_seconds`` becomes the kernel's timeout in milliseconds."""
        length = len(send) or receive_bytes
        direction = _DXFER_TO_DEVICE if send else _DXFER_FROM_DEVICE if receive_bytes else _DXFER_NONE
        data = ctypes.create_string_buffer(send, length) if length else None
        command = ctypes.create_string_buffer(cdb, len(cdb))
        sense = ctypes.create_string_buffer(_SENSE_BYTES)
        header = bytearray(
            _HEADER.pack(
                _INTERFACE_ID, direction, len(cdb), _SENSE_BYTES, 0, length,
                ctypes.addressof(data) if data is not None else 0, ctypes.addressof(command), ctypes.addressof(sense),
                max(1, int(timeout_seconds * 1000)), 0, 0, 0,
                0, 0, 0, 0, 0, 0, 0, 0, 0,
            )
        )  # fmt: skip
        fcntl.ioctl(self._fd, SG_IO, header)
        fields = _HEADER.unpack(header)
        status, sense_written = fields[13], fields[16]
        host_status, driver_status, residual, duration = fields[17:21]
        received = data.raw[: max(0, length - residual)] if data is not None and not send else b""
        return Reply(status, host_status, driver_status, sense.raw[:sense_written], received, duration)
