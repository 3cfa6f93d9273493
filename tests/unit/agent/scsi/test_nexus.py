"""Which registrations are our own."""

from __future__ import annotations

import struct
from pathlib import Path

from holdfast_agent.scsi.nexus import is_own, own_initiators, parse_initiator
from holdfast_agent.scsi.reservation import Registrant


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
