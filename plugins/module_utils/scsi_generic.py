# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Sends one SCSI command to one path through the kernel's SG_IO ioctl.

No tool is started: a fork costs more than the command. Constants are from include/scsi/sg.h and SPC-4.
"""

from __future__ import annotations

import ctypes
import fcntl
import os

from .errors import ReservationConflict, ScsiError

SG_IO = 0x2285
_SG_DXFER_NONE, _SG_DXFER_TO_DEV, _SG_DXFER_FROM_DEV = -1, -2, -3
_SENSE_BYTES = 64
STATUS_GOOD, STATUS_CHECK_CONDITION, STATUS_RESERVATION_CONFLICT = 0x00, 0x02, 0x18
SENSE_UNIT_ATTENTION, SENSE_ILLEGAL_REQUEST = 0x06, 0x05
# A path reports one unit attention per event and nexus; a reset, a preemption and a capacity change can be queued.
MAX_UNIT_ATTENTIONS = 5
DEFAULT_TIMEOUT_SECONDS = 5.0


class _SgHeader(ctypes.Structure):
    _fields_ = (
        ("interface_id", ctypes.c_int),
        ("dxfer_direction", ctypes.c_int),
        ("cmd_len", ctypes.c_ubyte),
        ("mx_sb_len", ctypes.c_ubyte),
        ("iovec_count", ctypes.c_ushort),
        ("dxfer_len", ctypes.c_uint),
        ("dxferp", ctypes.c_void_p),
        ("cmdp", ctypes.c_void_p),
        ("sbp", ctypes.c_void_p),
        ("timeout", ctypes.c_uint),
        ("flags", ctypes.c_uint),
        ("pack_id", ctypes.c_int),
        ("usr_ptr", ctypes.c_void_p),
        ("status", ctypes.c_ubyte),
        ("masked_status", ctypes.c_ubyte),
        ("msg_status", ctypes.c_ubyte),
        ("sb_len_wr", ctypes.c_ubyte),
        ("host_status", ctypes.c_ushort),
        ("driver_status", ctypes.c_ushort),
        ("resid", ctypes.c_int),
        ("duration", ctypes.c_uint),
        ("info", ctypes.c_uint),
    )


class SgDevice:
    """One path (C(/dev/sdb)) open for SCSI commands; use it in a C(with) statement."""

    def __init__(self, device, timeout_seconds=DEFAULT_TIMEOUT_SECONDS):
        self.device = device
        self.timeout_seconds = timeout_seconds
        try:
            # O_NONBLOCK: opening must not wait for a path that does not answer.
            self._descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK)
        except OSError as error:
            raise ScsiError(f"{device} cannot be opened: {error.strerror}", device=device) from error

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        os.close(self._descriptor)

    def receive(self, cdb, length):
        """Send I(cdb) and return the data the device answers, at most I(length) bytes."""
        buffer = ctypes.create_string_buffer(length)
        header = self._execute(cdb, _SG_DXFER_FROM_DEV, buffer, length)
        return buffer.raw[: length - max(header.resid, 0)]

    def send(self, cdb, data=b""):
        """Send I(cdb) with I(data)."""
        direction = _SG_DXFER_TO_DEV if data else _SG_DXFER_NONE
        self._execute(cdb, direction, ctypes.create_string_buffer(data, max(len(data), 1)), len(data))

    def _execute(self, cdb, direction, buffer, length):
        for _attempt in range(MAX_UNIT_ATTENTIONS):
            header, sense = self._ioctl(cdb, direction, buffer, length)
            if header.status == STATUS_CHECK_CONDITION and sense_key(sense) == SENSE_UNIT_ATTENTION:
                continue
            break
        check_result(self.device, cdb, header, sense)
        return header

    def _ioctl(self, cdb, direction, buffer, length):
        command = ctypes.create_string_buffer(bytes(cdb), len(cdb))
        sense = ctypes.create_string_buffer(_SENSE_BYTES)
        header = _SgHeader(
            interface_id=ord("S"),
            dxfer_direction=direction,
            cmd_len=len(cdb),
            mx_sb_len=_SENSE_BYTES,
            dxfer_len=length,
            dxferp=ctypes.addressof(buffer),
            cmdp=ctypes.addressof(command),
            sbp=ctypes.addressof(sense),
            timeout=int(self.timeout_seconds * 1000),
        )
        try:
            fcntl.ioctl(self._descriptor, SG_IO, header)
        except OSError as error:
            raise ScsiError(f"{self.device}: command {cdb[0]:02x}h was not sent: {error.strerror}", device=self.device) from error
        return header, sense.raw[: header.sb_len_wr]


def check_result(device, cdb, header, sense):
    """Raise for everything but a GOOD status that came back over a working path."""
    command = bytes(cdb).hex()
    if header.status == STATUS_RESERVATION_CONFLICT:
        raise ReservationConflict(f"{device}: reservation conflict", device=device, command=command)
    if header.status == STATUS_CHECK_CONDITION:
        raise ScsiError(
            f"{device}: sense key {sense_key(sense):x}h, additional sense {additional_sense(sense)}",
            device=device,
            command=command,
            sense_key=sense_key(sense),
            additional_sense=additional_sense(sense),
        )
    if header.status != STATUS_GOOD or header.host_status:
        raise ScsiError(
            f"{device}: path failed (SCSI status {header.status:02x}h, host status {header.host_status:02x}h)",
            device=device,
            command=command,
            host_status=header.host_status,
        )


def sense_key(sense):
    """Sense key of fixed (70h, 71h) and descriptor (72h, 73h) sense data; 0 where there is none (SPC-4 4.5)."""
    if len(sense) < 3:
        return 0
    return sense[1] & 0x0F if sense[0] & 0x7F >= 0x72 else sense[2] & 0x0F


def additional_sense(sense):
    """Additional sense code and qualifier as C(2a/05); C(-) where there is none."""
    if len(sense) >= 4 and sense[0] & 0x7F >= 0x72:
        return f"{sense[2]:02x}/{sense[3]:02x}"
    return f"{sense[12]:02x}/{sense[13]:02x}" if len(sense) >= 14 else "-"
