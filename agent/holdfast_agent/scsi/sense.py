"""Decoding of sense data and the sorting of replies into the few kinds the agent tells apart."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .sgio import Reply

# SAM-5 5.3.1, status codes.
GOOD, CHECK_CONDITION, BUSY, RESERVATION_CONFLICT, TASK_SET_FULL = 0x00, 0x02, 0x08, 0x18, 0x28
# SPC-4 4.5.6, sense keys.
NO_SENSE, RECOVERED_ERROR, NOT_READY, UNIT_ATTENTION = 0x0, 0x1, 0x2, 0x6
# include/scsi/scsi_status.h, host byte: the kernel's own opinion when no SCSI status came from the device.
DID_OK, DID_TIME_OUT = 0x00, 0x03


@dataclass(frozen=True)
class Sense:
    """Sense key with additional sense code and qualifier; all zero where the device sent no sense data."""

    key: int = 0
    asc: int = 0
    ascq: int = 0

    def __str__(self) -> str:
        return f"{self.key:#x}/{self.asc:02x}/{self.ascq:02x}"


class Outcome(Enum):
    """The kinds of ending that lead to different decisions."""

    GOOD = "good"
    CONFLICT = "conflict"
    UNIT_ATTENTION = "unit_attention"
    BUSY = "busy"
    TIMEOUT = "timeout"
    TRANSPORT = "transport"
    REFUSED = "refused"


def parse_sense(raw: bytes) -> Sense:
    """Read fixed (70h, 71h) or descriptor (72h, 73h) format sense data, SPC-4 4.5.2 and 4.5.3."""
    if len(raw) < 4:
        return Sense()
    response_code = raw[0] & 0x7F
    if response_code in (0x72, 0x73):
        return Sense(raw[1] & 0x0F, raw[2], raw[3])
    if response_code in (0x70, 0x71) and len(raw) >= 14:
        return Sense(raw[2] & 0x0F, raw[12], raw[13])
    return Sense()


def classify(reply: Reply) -> Outcome:
    """Sort a reply. The host byte is judged first: with it set, the SCSI status byte has no meaning."""
    if reply.host_status == DID_TIME_OUT:
        return Outcome.TIMEOUT
    # A conflict may come with DID_NEXUS_FAILURE set beside it, so the status is asked before the host byte.
    if reply.status == RESERVATION_CONFLICT:
        return Outcome.CONFLICT
    if reply.host_status != DID_OK:
        return Outcome.TRANSPORT
    if reply.status == GOOD:
        return Outcome.GOOD
    if reply.status in (BUSY, TASK_SET_FULL):
        return Outcome.BUSY
    if reply.status == CHECK_CONDITION:
        return _classify_sense(parse_sense(reply.sense))
    return Outcome.REFUSED


def _classify_sense(sense: Sense) -> Outcome:
    if sense.key in (NO_SENSE, RECOVERED_ERROR):
        return Outcome.GOOD
    if sense.key == UNIT_ATTENTION:
        return Outcome.UNIT_ATTENTION
    if sense.key == NOT_READY and sense.asc == 0x04 and sense.ascq == 0x01:
        # SPC-4 table 53: 04h/01h LOGICAL UNIT IS IN PROCESS OF BECOMING READY.
        return Outcome.BUSY
    if sense.key == NOT_READY:
        # Among others 04h/0Ah to 0Ch: the port is in an ALUA state that does not serve. Another path may.
        return Outcome.TRANSPORT
    return Outcome.REFUSED
