"""Which registrations are our own."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from holdfast_agent.scsi.nexus import (
    PathNexus,
    is_own,
    is_through,
    own_initiators,
    parse_initiator,
    parse_isid,
    session_isid,
)
from holdfast_agent.scsi.reservation import Registrant, parse_read_full_status

RECORDED = Path(__file__).parents[2] / "plugins/recorded"


def iscsi(name: str) -> bytes:
    text = f"{name},i,0x00023d000002".encode() + b"\0"
    text += b"\0" * (-len(text) % 4)
    return bytes([0x45, 0]) + struct.pack(">H", len(text)) + text


def test_initiator_names() -> None:
    assert parse_initiator(iscsi("iqn.2026-11.lab:Node1")) == "iqn.2026-11.lab:node1"
    assert parse_initiator(b"\0" * 8 + bytes.fromhex("2100001b32aabbcc") + b"\0" * 8) == "2100001b32aabbcc"
    assert parse_initiator(b"\x06" + bytes(23)) is None
    assert parse_initiator(b"") is None


def test_own_names_come_from_sysfs(tmp_path: Path) -> None:
    session = tmp_path / "class/iscsi_session/session1"
    session.mkdir(parents=True)
    (session / "initiatorname").write_text("iqn.2026-11.lab:node1\n")
    host = tmp_path / "class/fc_host/host3"
    host.mkdir(parents=True)
    (host / "port_name").write_text("0x2100001b32aabbcc\n")
    names = own_initiators(tmp_path)
    assert names == {"iqn.2026-11.lab:node1", "2100001b32aabbcc"}
    assert is_own(Registrant(1, False, None, 1, iscsi("iqn.2026-11.lab:node1")), names)
    assert not is_own(Registrant(1, False, None, 1, iscsi("iqn.2026-11.lab:node2")), names)


def restored() -> tuple[Registrant, ...]:
    """What LIO answers after a restart with APTPL: both registrations are there, both through target port 0."""
    recorded = json.loads((RECORDED / "persistent_reserve_in_lio_7.2_restored.json").read_text())
    return parse_read_full_status(bytes.fromhex(recorded["read_full_status"])).registrants


def test_a_restored_registration_is_told_by_its_session() -> None:
    first, second = restored()
    assert (first.target_port, second.target_port) == (0, 0)
    assert [parse_isid(registrant.transport_id) for registrant in (first, second)] == [session_isid(1), session_isid(2)]
    assert is_through(first, PathNexus(1, session_isid(1))) and not is_through(first, PathNexus(2, session_isid(2)))
    assert is_through(second, PathNexus(2, session_isid(2)))


def test_a_session_that_is_not_the_registered_one_takes_no_writes() -> None:
    assert not any(is_through(registrant, PathNexus(1, session_isid(3))) for registrant in restored())
    assert not any(is_through(registrant, PathNexus(1, None)) for registrant in restored())


def test_a_known_port_decides_whatever_the_session() -> None:
    registrant = Registrant(1, False, None, 2, iscsi("iqn.2026-11.lab:node1"))
    assert is_through(registrant, PathNexus(2, session_isid(9)))
    assert not is_through(registrant, PathNexus(1, session_isid(2)))


def test_session_ids_of_other_transports() -> None:
    assert session_isid(None) is None
    assert parse_isid(b"\0" * 24) is None
    assert parse_isid(b"") is None
    assert parse_isid(bytes([0x45, 0, 0, 4]) + b"abc\0") is None
