"""Notes as JSON on the lock LUN: whatever led to one, it can be written."""

from __future__ import annotations

from dataclasses import replace

from holdfast_agent.core.events import Flag, Note
from holdfast_agent.scsi.note import decode_sector, encode_sector
from holdfast_agent.storage.note_record import note_from_body, note_to_body

NOTE = Note(Flag.FAILED, 0x8ABCDEF001000007, 3, None, "no node can run the package", (10.0, 0.5), ("node1",))


def read_back(note: Note) -> Note | None:
    decoded = decode_sector(encode_sector(1, note_to_body(note, wall=1000.0)))
    assert decoded is not None
    return note_from_body(decoded[1], wall=1000.0)


def test_round_trip() -> None:
    assert read_back(NOTE) == NOTE


def test_what_a_database_said_at_its_end_does_not_keep_the_note_from_its_sector() -> None:
    """Without the note nobody would know that the package was left down, and the next node would try it again."""
    long = replace(
        NOTE,
        reason="start db failed 2 times: " + "FATAL:  Größe " * 2000,
        failure_ages=tuple(float(number) for number in range(50)),
        failed_nodes=tuple(f"node{number}.{'x' * 50}" for number in range(16)),
    )
    found = read_back(long)
    assert found is not None and found.reason.startswith("start db failed 2 times: FATAL:  Größe")
    assert replace(found, reason="") == replace(long, reason="")
