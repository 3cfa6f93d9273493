"""Which registrations are this node's own: the initiator names in transport ids (SPC-4 7.6.4)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from .reservation import Registrant

# SPC-4 table 477: protocol identifiers.
_FIBRE_CHANNEL, _ISCSI = 0x0, 0x5
# open-iscsi (usr/initiator.c): every session id of a node starts with this, its last three bytes are the session's number.
_OPEN_ISCSI_ISID = 0x00023D000000
# SPC-4 7.8.4.2: relative target ports are numbered from 1. LIO reports 0 for registrations restored after its restart.
_NO_PORT = 0


@dataclass(frozen=True)
class PathNexus:
    """How the array tells one path of this node from another: target port (None until it was asked), session id."""

    target_port: int | None
    isid: int | None = None


def session_isid(number: int | None) -> int | None:
    """The session id that open-iscsi gives to the session of this number; None where there is no session."""
    return None if number is None else _OPEN_ISCSI_ISID | number


def is_through(registrant: Registrant, nexus: PathNexus) -> bool:
    """Whether an own registration was made through this path; it then takes writes."""
    if registrant.target_port == _NO_PORT:
        return nexus.isid is not None and parse_isid(registrant.transport_id) == nexus.isid
    return registrant.target_port == nexus.target_port


def parse_isid(transport_id: bytes) -> int | None:
    """The session id in an iSCSI transport id (SPC-4 table 485: ``name,i,0x…``), None where it has none."""
    if not transport_id or transport_id[0] & 0x0F != _ISCSI:
        return None
    text = transport_id[4:].partition(b"\0")[0].decode("ascii", "replace").partition(",i,")[2]
    try:
        return int(text, 16)
    except ValueError:
        return None


def own_initiators(sysfs: Path = Path("/sys")) -> frozenset[str]:
    """Names by which this node appears in transport ids: iSCSI names, Fibre Channel port names (hex)."""
    iscsi = (_read(path).lower() for path in sysfs.glob("class/iscsi_session/session*/initiatorname"))
    fibre = (_read(path).removeprefix("0x").lower() for path in sysfs.glob("class/fc_host/host*/port_name"))
    return frozenset(name for name in (*iscsi, *fibre) if name and name != "(null)")


def parse_initiator(transport_id: bytes) -> str | None:
    """The initiator's name in a transport id, None for a transport that is not told apart here."""
    if not transport_id:
        return None
    protocol = transport_id[0] & 0x0F
    if protocol == _ISCSI and len(transport_id) > 4:
        (length,) = struct.unpack_from(">H", transport_id, 2)
        name = transport_id[4 : 4 + length].partition(b"\0")[0].decode("utf-8", "replace")
        return name.partition(",i,")[0].lower()
    if protocol == _FIBRE_CHANNEL and len(transport_id) >= 16:
        return transport_id[8:16].hex()
    return None


def is_own(registrant: Registrant, initiators: frozenset[str]) -> bool:
    """Whether a registration belongs to one of this node's initiators."""
    return parse_initiator(registrant.transport_id) in initiators


def _read(attribute: Path) -> str:
    try:
        return attribute.read_text().strip()
    except OSError:
        return ""
