"""Who is behind a path device: INQUIRY, VPD pages 80h and 83h, TEST UNIT READY (SPC-4 6.6, 6.47, 7.8)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ..errors import CheckConditionError
from .command import run_command
from .sgio import Transport

_TEST_UNIT_READY, _INQUIRY = 0x00, 0x12
_SERIAL_PAGE, _IDENTIFICATION_PAGE = 0x80, 0x83
# SPC-4 7.8.6: designator types and associations.
_NAA_DESIGNATOR, _RELATIVE_TARGET_PORT = 3, 4
_ASSOCIATION_LUN, _ASSOCIATION_PORT = 0, 1
_ALLOCATION_BYTES = 1024


@dataclass(frozen=True)
class Identity:
    """Vendor, product and revision of a logical unit."""

    vendor: str
    product: str
    revision: str


@dataclass(frozen=True)
class Designator:
    """One entry of VPD page 83h: designator type, what it belongs to, and its bytes."""

    kind: int
    association: int
    value: bytes


def test_unit_ready(transport: Transport, timeout_seconds: float) -> None:
    """Ask whether the path works; also eats the unit attentions that wait on this nexus."""
    run_command(transport, bytes(6), timeout_seconds=timeout_seconds)


def read_identity(transport: Transport, timeout_seconds: float) -> Identity:
    """Standard INQUIRY data, SPC-4 table 142."""
    data = _inquire(transport, 0, 0, timeout_seconds)
    if len(data) < 36:
        raise CheckConditionError(f"INQUIRY: reply of {len(data)} bytes is too short")
    words = (data[8:16], data[16:32], data[32:36])
    return Identity(*(word.decode("ascii", "replace").strip() for word in words))


def read_serial(transport: Transport, timeout_seconds: float) -> str:
    """Unit serial number, VPD page 80h."""
    return _page_body(_inquire(transport, 1, _SERIAL_PAGE, timeout_seconds)).decode("ascii", "replace").strip("\0 ")


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
