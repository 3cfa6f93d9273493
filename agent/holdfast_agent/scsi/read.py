"""Reading blocks through one path (READ(16), SBC-3 5.11): past every cache, and never queued by multipath."""

from __future__ import annotations

import struct

from ..errors import CheckConditionError
from .command import run_command
from .sgio import Transport

_READ_16 = 0x88


def read_bytes(transport: Transport, offset: int, length: int, block_bytes: int, timeout_seconds: float) -> bytes:
    """Read a range that is a multiple of the block size; raises CheckConditionError where less comes back."""
    cdb = struct.pack(">BxQIxx", _READ_16, offset // block_bytes, length // block_bytes)
    data = run_command(transport, cdb, receive_bytes=length, timeout_seconds=timeout_seconds).data
    if len(data) != length:
        raise CheckConditionError(f"READ(16): {len(data)} of {length} bytes came back")
    return data
