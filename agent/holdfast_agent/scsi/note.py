"""Sectors on the lock LUN that every node can read: what they look like, where they lie.

The area starts at 1 MiB, behind everything that partition tables, LVM labels and blkid look at. Two sectors take the
package's note in turn, so that a write that is torn by a power cut leaves the older one; every node has one sector
for its beat, so no two nodes ever write the same one. A sector carries a sequence number and a checksum; what does
not check counts as blank, never as half a note.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

from ..errors import HoldfastError

SECTOR_BYTES = 4096
AREA_OFFSET_BYTES = 1024 * 1024
NOTE_SLOTS = 2
_MAGIC = b"HOLDFST1"
# magic, sequence, length of the JSON text, CRC-32 of sequence + length + text.
_HEADER = struct.Struct(">8sQII")
Body = dict[str, Any]


class NoteError(HoldfastError):
    """A sector of the note area could not be read or written."""


def note_offset(slot: int) -> int:
    """Byte offset of one of the package's note sectors."""
    return AREA_OFFSET_BYTES + slot * SECTOR_BYTES


def beat_offset(node_id: int) -> int:
    """Byte offset of a node's beat; node ids are 1 to 255 (8 bits of the reservation key)."""
    if not 1 <= node_id <= 255:
        raise NoteError(f"node id {node_id} is not between 1 and 255")
    return AREA_OFFSET_BYTES + (NOTE_SLOTS + node_id) * SECTOR_BYTES


def encode_sector(sequence: int, body: Body) -> bytes:
    """One full sector; raises NoteError where the body does not fit."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    if len(text) > SECTOR_BYTES - _HEADER.size:
        raise NoteError(f"note of {len(text)} bytes does not fit into a sector")
    return (_HEADER.pack(_MAGIC, sequence, len(text), _checksum(sequence, text)) + text).ljust(SECTOR_BYTES, b"\0")


def decode_sector(sector: bytes) -> tuple[int, Body] | None:
    """Sequence and body of a sector, None where it is blank or damaged."""
    if len(sector) < _HEADER.size:
        return None
    magic, sequence, length, checksum = _HEADER.unpack_from(sector)
    text = sector[_HEADER.size : _HEADER.size + length]
    if magic != _MAGIC or len(text) != length or _checksum(sequence, text) != checksum:
        return None
    body = json.loads(text)
    return (sequence, body) if isinstance(body, dict) else None


def newest(sectors: bytes) -> tuple[int, Body] | None:
    """The newest valid note of the slots, read in one piece."""
    slots = (sectors[start : start + SECTOR_BYTES] for start in range(0, len(sectors), SECTOR_BYTES))
    found = [decoded for slot in slots if (decoded := decode_sector(slot)) is not None]
    return max(found, key=lambda pair: pair[0], default=None)


def _checksum(sequence: int, text: bytes) -> int:
    return zlib.crc32(struct.pack(">QI", sequence, len(text)) + text)
