"""Sorting of SCSI replies."""

from __future__ import annotations

import pytest
from holdfast_agent.scsi.sense import Outcome, Sense, classify, parse_sense
from holdfast_agent.scsi.sgio import Reply


def fixed(key: int, asc: int, ascq: int) -> bytes:
    sense = bytearray(18)
    sense[0], sense[2], sense[7], sense[12], sense[13] = 0x70, key, 10, asc, ascq
    return bytes(sense)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (fixed(0x6, 0x2A, 0x03), Sense(0x6, 0x2A, 0x03)),
        (bytes([0x72, 0x06, 0x29, 0x00, 0, 0, 0, 0]), Sense(0x6, 0x29, 0x00)),
        (b"", Sense()),
        (b"\x70\x00\x06", Sense()),
        (b"\x7f" + bytes(17), Sense()),
    ],
)
def test_sense_data_of_both_formats_and_none(raw: bytes, expected: Sense) -> None:
    assert parse_sense(raw) == expected


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(0x00), Outcome.GOOD),
        (Reply(0x18), Outcome.CONFLICT),
        (Reply(0x18, host_status=0x11), Outcome.CONFLICT),
        (Reply(0x00, host_status=0x03), Outcome.TIMEOUT),
        (Reply(0x00, host_status=0x0E), Outcome.TRANSPORT),
        (Reply(0x08), Outcome.BUSY),
        (Reply(0x28), Outcome.BUSY),
        (Reply(0x02, sense=fixed(0x6, 0x2A, 0x05)), Outcome.UNIT_ATTENTION),
        (Reply(0x02, sense=fixed(0x2, 0x04, 0x01)), Outcome.BUSY),
        (Reply(0x02, sense=fixed(0x2, 0x04, 0x0B)), Outcome.TRANSPORT),
        (Reply(0x02, sense=fixed(0x5, 0x24, 0x00)), Outcome.REFUSED),
        (Reply(0x02, sense=fixed(0x1, 0x00, 0x00)), Outcome.GOOD),
        (Reply(0x30), Outcome.REFUSED),
    ],
)
def test_every_ending_has_its_kind(reply: Reply, outcome: Outcome) -> None:
    assert classify(reply) is outcome
