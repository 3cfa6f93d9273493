"""Who is behind a path device: INQUIRY and its VPD page 83h (SPC-4 6.6 and 7.8.6)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ..errors import CheckConditionError
from .command import run_command
from .sgio import Transport

_INQUIRY, _IDENTIFICATION_PAGE = 0x12, 0x83
# SPC-4 7.8.6: designator types and associations.
_NAA_DESIGNATOR, _RELATIVE_TARGET_PORT = 3, 4
_ASSOCIATION_LUN, _ASSOCIATION_PORT = 0, 1
_ALLOCATION_BYTES = 1024


@dataclass(frozen=True)
class Designator:
    """One entry of VPD page 83h: designator type, what it belongs to, and its bytes."""

    kind: int
    association: int
    value: bytes


def read_identification(transport: Transport, timeout_seconds: float) -> tuple[Designator, ...]:
    """Every designator of VPD page 83h."""
    return parse_identification(_inquire(transport, 1, _IDENTIFICATION_PAGE, timeout_seconds))


def parse_identification(page: bytes) -> tuple[Designator, ...]:
    """SPC-4 table 613: the designators of a VPD page 83h."""
    body, offset, found = _page_body(page), 0, []
    while offset + 4 <= len(body):
        kind, length = body[offset + 1], body[offset + 3]
        found.append(Designator(kind & 0x0F, (kind >> 4) & 0x03, body[offset + 4 : offset + 4 + length]))
        offset += 4 + length
    return tuple(found)


def wwid_of(designators: tuple[Designator, ...]) -> str:
    """WWID as multipath spells it: "3" and the longest NAA designator of the unit in hex."""
    names = [d.value for d in designators if d.kind == _NAA_DESIGNATOR and d.association == _ASSOCIATION_LUN]
    if not names:
        raise CheckConditionError("VPD page 83h carries no NAA designator")
    return "3" + max(names, key=len).hex()


def target_port_of(designators: tuple[Designator, ...]) -> int | None:
    """Relative target port that the path goes to, None where the target does not say."""
    for designator in designators:
        is_port = designator.kind == _RELATIVE_TARGET_PORT and designator.association == _ASSOCIATION_PORT
        if is_port and len(designator.value) == 4:
            return int.from_bytes(designator.value[2:], "big")
    return None


def _inquire(transport: Transport, vital_product_data: int, page: int, timeout_seconds: float) -> bytes:
    cdb = struct.pack(">BBBHx", _INQUIRY, vital_product_data, page, _ALLOCATION_BYTES)
    return run_command(transport, cdb, receive_bytes=_ALLOCATION_BYTES, timeout_seconds=timeout_seconds).data


def _page_body(page: bytes) -> bytes:
    if len(page) < 4:
        raise CheckConditionError(f"VPD page of {len(page)} bytes is too short")
    (length,) = struct.unpack_from(">H", page, 2)
    return page[4 : 4 + length]
