"""Who is behind a path."""

from __future__ import annotations

import struct

import pytest
from holdfast_agent.errors import CheckConditionError
from holdfast_agent.scsi.inquiry import parse_identification, target_port_of, wwid_of

NAA = bytes.fromhex("60014053c0a8b0e5d3c4e2f8b1a09f7c")


def page(*designators: tuple[int, int, bytes]) -> bytes:
    body = b"".join(bytes([1, association << 4 | kind, 0, len(value)]) + value for kind, association, value in designators)
    return struct.pack(">BBH", 0, 0x83, len(body)) + body


def test_wwid_and_port_of_a_target() -> None:
    found = parse_identification(page((1, 0, b"LIO-ORG erp-data"), (3, 0, NAA), (4, 1, b"\0\0\0\2"), (5, 1, b"\0\0\0\0")))
    assert wwid_of(found) == "3" + NAA.hex()
    assert target_port_of(found) == 2


def test_a_port_name_is_not_the_lun() -> None:
    found = parse_identification(page((3, 1, NAA)))
    with pytest.raises(CheckConditionError):
        wwid_of(found)
    assert target_port_of(found) is None


def test_a_cut_page_is_refused() -> None:
    with pytest.raises(CheckConditionError):
        parse_identification(b"\0\x83")
