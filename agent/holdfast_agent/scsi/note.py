"""Small notes on the lock LUN that every node can read, written by their owner through the multipath map.

The area starts at 1 MiB, behind everything that partition tables, LVM labels and blkid look at. Every node has its own
sectors of 4 KiB, one per purpose, so no two nodes ever write the same sector. A sector carries a sequence number and
a checksum; anything that does not check is "no note", never half a note.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from ..errors import HoldfastError

SECTOR_BYTES = 4096
AREA_OFFSET_BYTES = 1024 * 1024
_MAGIC = b"HOLDFST1"
# magic, sequence, length of the JSON text, CRC-32 of sequence + length + text.
_HEADER = struct.Struct(">8sQII")


class Purpose(IntEnum):
    """What a sector is for; the number is its place on disk and never changes its meaning."""

    PROBE = 0
    MAINTENANCE = 1


SECTORS_PER_NODE = 4


class NoteError(HoldfastError):
    """The note area could not be read or written."""


@dataclass(frozen=True)
class Note:
    """Content of one sector: ``sequence`` grows with each write of its owner."""

    sequence: int
    body: dict[str, Any]


def note_offset(node_id: int, purpose: Purpose) -> int:
    """Byte offset of a node's sector; node ids are 1 to 255 (8 bits of the reservation key)."""
    if not 1 <= node_id <= 255:
        raise NoteError(f"node id {node_id} is not between 1 and 255")
    return AREA_OFFSET_BYTES + (node_id * SECTORS_PER_NODE + purpose) * SECTOR_BYTES


def encode_note(note: Note) -> bytes:
    """One full sector; raises NoteError where the body does not fit."""
    text = json.dumps(note.body, sort_keys=True, separators=(",", ":")).encode()
    if len(text) > SECTOR_BYTES - _HEADER.size:
        raise NoteError(f"note of {len(text)} bytes does not fit into a sector")
    checksum = _checksum(note.sequence, text)
    return (_HEADER.pack(_MAGIC, note.sequence, len(text), checksum) + text).ljust(SECTOR_BYTES, b"\0")


def decode_note(sector: bytes) -> Note | None:
    """The note of a sector, or None where it holds none or a damaged one."""
    magic, sequence, length, checksum = _HEADER.unpack_from(sector)
    text = sector[_HEADER.size : _HEADER.size + length]
    if magic != _MAGIC or len(text) != length or _checksum(sequence, text) != checksum:
        return None
    body = json.loads(text)
    return Note(sequence, body) if isinstance(body, dict) else None


def write_sector(device: str, offset: int, sector: bytes) -> None:
    """Write one sector with O_DIRECT, so that it has passed the reservation check when this returns.

    Raises NoteError; ``details["errno"]`` is EBADE where the array answered RESERVATION CONFLICT.
    """
    try:
        handle = os.open(device, os.O_WRONLY | os.O_DIRECT | os.O_DSYNC | os.O_CLOEXEC)
        try:
            with mmap.mmap(-1, SECTOR_BYTES) as page:
                page[:] = sector
                written = os.pwritev(handle, [page], offset)
        finally:
            os.close(handle)
    except OSError as error:
        raise NoteError(f"{device}: {error.strerror}", device=device, errno=error.errno) from error
    if written != SECTOR_BYTES:
        raise NoteError(f"{device}: {written} of {SECTOR_BYTES} bytes written", device=device)


def read_sector(device: str, offset: int) -> bytes:
    """Read one sector past the page cache, which on another node may hold an older state."""
    try:
        handle = os.open(device, os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC)
        try:
            with mmap.mmap(-1, SECTOR_BYTES) as page:
                count = os.preadv(handle, [page], offset)
                sector = page[:count]
        finally:
            os.close(handle)
    except OSError as error:
        raise NoteError(f"{device}: {error.strerror}", device=device, errno=error.errno) from error
    if len(sector) != SECTOR_BYTES:
        raise NoteError(f"{device}: the LUN ends before the note area", device=device)
    return sector


def write_note(device: str, node_id: int, purpose: Purpose, note: Note) -> None:
    """Write a node's own note."""
    write_sector(device, note_offset(node_id, purpose), encode_note(note))


def read_note(device: str, node_id: int, purpose: Purpose) -> Note | None:
    """Read any node's note."""
    return decode_note(read_sector(device, note_offset(node_id, purpose)))


def _checksum(sequence: int, text: bytes) -> int:
    return zlib.crc32(struct.pack(">QI", sequence, len(text)) + text)
