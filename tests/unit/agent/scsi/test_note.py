"""Sectors on the lock LUN."""

from __future__ import annotations

import pytest
from holdfast_agent.scsi.note import (
    AREA_OFFSET_BYTES,
    SECTOR_BYTES,
    NoteError,
    beat_offset,
    decode_sector,
    encode_sector,
    newest,
    note_offset,
)


def test_round_trip() -> None:
    sector = encode_sector(7, {"a": "ü"})
    assert len(sector) == SECTOR_BYTES
    assert decode_sector(sector) == (7, {"a": "ü"})


@pytest.mark.parametrize("position", [0, 9, 20, 30])
def test_one_flipped_bit_is_a_blank_sector(position: int) -> None:
    sector = bytearray(encode_sector(7, {"counter": 12345678}))
    sector[position] ^= 1
    assert decode_sector(bytes(sector)) is None


def test_blank_and_short_sectors_hold_nothing() -> None:
    assert decode_sector(bytes(SECTOR_BYTES)) is None
    assert decode_sector(b"") is None


def test_a_torn_note_leaves_the_older_one() -> None:
    old, new = encode_sector(4, {"flag": "old"}), bytearray(encode_sector(5, {"flag": "new"}))
    assert newest(old + bytes(new)) == (5, {"flag": "new"})
    new[25:] = bytes(len(new) - 25)
    assert newest(old + bytes(new)) == (4, {"flag": "old"})
    assert newest(bytes(2 * SECTOR_BYTES)) is None


def test_no_two_sectors_share_a_place() -> None:
    offsets = [note_offset(0), note_offset(1), *(beat_offset(node) for node in range(1, 256))]
    assert len(set(offsets)) == len(offsets)
    assert min(offsets) == AREA_OFFSET_BYTES


def test_limits() -> None:
    with pytest.raises(NoteError):
        beat_offset(0)
    with pytest.raises(NoteError):
        encode_sector(1, {"text": "x" * SECTOR_BYTES})
