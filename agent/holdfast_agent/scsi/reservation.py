"""Persistent reservations on one path: the commands of SPC-4 6.15 and 6.16 and the parsing of their replies.

Only what ownership needs is here. Two are missing on purpose, so that no code path of the agent can reach them: CLEAR,
because between it and the next RESERVE everybody may write, and REGISTER AND IGNORE EXISTING KEY, which asks for no proof
of what this nexus was. Drills have both, as faults.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ..errors import CheckConditionError
from .command import run_command
from .sgio import Transport

# SPC-4 6.15 and 6.16: operation codes.
_RESERVE_IN, _RESERVE_OUT = 0x5E, 0x5F
# SPC-4 table 212 and table 227: service actions.
_READ_RESERVATION, _READ_FULL_STATUS = 1, 3
_REGISTER, _RESERVE, _RELEASE, _PREEMPT_AND_ABORT = 0, 1, 2, 5
# SPC-4 table 216: type 5 is Write Exclusive, Registrants Only.
WRITE_EXCLUSIVE_REGISTRANTS_ONLY = 5
# 8 KiB: room for 1,023 keys or some hundred full status descriptors; the field in the CDB is 16 bits.
_ALLOCATION_BYTES = 8192
_OUT_PARAMETER_BYTES = 24
_APTPL_BIT = 0x01


@dataclass(frozen=True)
class Reservation:
    """Reply of READ RESERVATION; ``key`` is None where nobody holds a reservation."""

    generation: int
    key: int | None
    type: int | None


@dataclass(frozen=True)
class Registrant:
    """One descriptor of READ FULL STATUS: who is registered through which target port."""

    key: int
    holder: bool
    type: int | None
    target_port: int
    transport_id: bytes


@dataclass(frozen=True)
class FullStatus:
    """Reply of READ FULL STATUS: everything about keys and holder in one consistent answer."""

    generation: int
    registrants: tuple[Registrant, ...]

    @property
    def keys(self) -> tuple[int, ...]:
        """Every registered key, one entry per nexus."""
        return tuple(registrant.key for registrant in self.registrants)

    @property
    def holder(self) -> Registrant | None:
        """The registration that holds the reservation, None where there is no reservation."""
        return next((registrant for registrant in self.registrants if registrant.holder), None)


class ReservationPath:
    """The reservation commands through one path; the same key must be used on every path of a node."""

    def __init__(self, transport: Transport, timeout_seconds: float) -> None:
        self._transport = transport
        self._timeout = timeout_seconds

    def read_reservation(self) -> Reservation:
        """The reservation in force, if any."""
        return parse_read_reservation(self._read(_READ_RESERVATION))

    def read_full_status(self) -> FullStatus:
        """Every registration with its port and initiator."""
        return parse_read_full_status(self._read(_READ_FULL_STATUS))

    def register(self, own_key: int, new_key: int) -> None:
        """REGISTER with APTPL: ``own_key`` is what this nexus has now (0: nothing); conflict where that is wrong."""
        self._write(_REGISTER, own_key, new_key, aptpl=True)

    def unregister(self, own_key: int) -> None:
        """Give up this nexus' registration; the last one of a type 5 holder ends the reservation."""
        self._write(_REGISTER, own_key, 0, aptpl=True)

    def reserve(self, own_key: int) -> None:
        """Take the reservation, type 5; GOOD also where this very nexus holds it already."""
        self._write(_RESERVE, own_key, 0)

    def release(self, own_key: int) -> None:
        """Let go of a reservation that this nexus holds; GOOD without effect where another one holds it."""
        self._write(_RELEASE, own_key, 0)

    def preempt_and_abort(self, own_key: int, victim_key: int) -> None:
        """Remove every registration of ``victim_key``, abort its commands, take over the reservation it held."""
        self._write(_PREEMPT_AND_ABORT, own_key, victim_key)

    def _read(self, service_action: int) -> bytes:
        cdb = struct.pack(">BB5xHx", _RESERVE_IN, service_action, _ALLOCATION_BYTES)
        reply = run_command(
            self._transport, cdb, receive_bytes=_ALLOCATION_BYTES, timeout_seconds=self._timeout
        )
        return reply.data

    def _write(self, service_action: int, own_key: int, action_key: int, *, aptpl: bool = False) -> None:
        cdb = struct.pack(
            ">BBBxxIx", _RESERVE_OUT, service_action, WRITE_EXCLUSIVE_REGISTRANTS_ONLY, _OUT_PARAMETER_BYTES
        )
        parameters = struct.pack(">QQ4xB3x", own_key, action_key, _APTPL_BIT if aptpl else 0)
        run_command(self._transport, cdb, send=parameters, timeout_seconds=self._timeout)


def _header(data: bytes, what: str) -> tuple[int, int]:
    """Generation and additional length of a PERSISTENT RESERVE IN reply; a short or cut reply is refused."""
    if len(data) < 8:
        raise CheckConditionError(f"{what}: reply of {len(data)} bytes is too short")
    generation, additional = struct.unpack_from(">II", data)
    if additional > len(data) - 8:
        raise CheckConditionError(f"{what}: reply announces {additional} bytes and carries {len(data) - 8}")
    return generation, additional


def parse_read_reservation(data: bytes) -> Reservation:
    """SPC-4 table 214 and 215."""
    generation, additional = _header(data, "READ RESERVATION")
    if additional == 0:
        return Reservation(generation, None, None)
    if additional < 16:
        raise CheckConditionError(f"READ RESERVATION: descriptor of {additional} bytes")
    (key,) = struct.unpack_from(">Q", data, 8)
    return Reservation(generation, key, data[21] & 0x0F)


def parse_read_full_status(data: bytes) -> FullStatus:
    """SPC-4 table 219 and 220."""
    generation, additional = _header(data, "READ FULL STATUS")
    registrants, offset, end = [], 8, 8 + additional
    while offset + 24 <= end:
        key, flags, scope_type, port, length = struct.unpack_from(">Q4xBB4xHI", data, offset)
        holder = bool(flags & 0x01)
        transport_id = data[offset + 24 : offset + 24 + length]
        registrants.append(Registrant(key, holder, scope_type & 0x0F if holder else None, port, transport_id))
        offset += 24 + length
    return FullStatus(generation, tuple(registrants))
