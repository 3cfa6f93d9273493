# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Builds and reads persistent reservation commands (SPC-4 6.15, 6.16). Pure: bytes in, values out, and back."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .errors import ParseError

# SPC-4 6.15 and 6.16: operation codes, service actions, the type that Holdfast uses, length and APTPL of the parameter list.
PR_IN, PR_OUT = 0x5E, 0x5F
READ_KEYS, READ_RESERVATION, REPORT_CAPABILITIES, READ_FULL_STATUS = 0x00, 0x01, 0x02, 0x03
REGISTER, RESERVE, RELEASE, PREEMPT_AND_ABORT = 0x00, 0x01, 0x02, 0x05
WRITE_EXCLUSIVE_REGISTRANTS_ONLY = 5
PARAMETER_BYTES = 24
_APTPL_BIT = 0x01
# Bit of each type in the PERSISTENT RESERVATION TYPE MASK field, byte 4 first (SPC-4 table 192).
_TYPE_BITS = {1: (0, 0x02), 3: (0, 0x08), 5: (0, 0x20), 6: (0, 0x40), 7: (0, 0x80), 8: (1, 0x01)}
REPORT_SUPPORTED_OPERATION_CODES = (0xA3, 0x0C)
_RSOC_ONE_SERVICE_ACTION = 0x02


@dataclass(frozen=True)
class Registration:
    """One registered nexus: its key, the initiator port behind it, the target port, and whether it holds the reservation."""

    key: int
    initiator: str
    target_port: int
    holder: bool
    type: int


def build_in_cdb(service_action, length):
    """PERSISTENT RESERVE IN with an allocation length of I(length) bytes."""
    return struct.pack(">BB5xHB", PR_IN, service_action, length, 0)


def build_out_cdb(service_action, reservation_type=0):
    """PERSISTENT RESERVE OUT; scope is always the whole logical unit."""
    return struct.pack(">BBB2xIB", PR_OUT, service_action, reservation_type, PARAMETER_BYTES, 0)


def build_out_parameters(key, service_action_key=0, aptpl=False):
    """The parameter list: own key, the key the action is about, and whether keys survive a loss of power."""
    return struct.pack(">QQ4xB3x", key, service_action_key, _APTPL_BIT if aptpl else 0)


def build_opcode_query_cdb(service_action, length=16):
    """REPORT SUPPORTED OPERATION CODES for one service action of PERSISTENT RESERVE OUT (SPC-4 6.35)."""
    query = (_RSOC_ONE_SERVICE_ACTION, PR_OUT, service_action, length, 0, 0)
    return struct.pack(">BBBBHIBB", *REPORT_SUPPORTED_OPERATION_CODES, *query)


def parse_opcode_query(data):
    """Whether the queried command is supported: support field 3 (as the standard says) or 5 (in a vendor's way)."""
    if len(data) < 2:
        raise ParseError("answer to REPORT SUPPORTED OPERATION CODES is too short", data=data.hex())
    return data[1] & 0x07 in (3, 5)


def parse_keys(data):
    """Generation and registered keys, one per nexus, of READ KEYS."""
    generation, length = _parse_header(data)
    body = data[8 : 8 + length]
    if len(body) < length or length % 8:
        raise ParseError("answer to READ KEYS is cut off", expected=length, got=len(body))
    return generation, [key for (key,) in struct.iter_unpack(">Q", body)]


def parse_reservation(data):
    """Holder's key and type of READ RESERVATION, or None where nothing is reserved."""
    _generation, length = _parse_header(data)
    if length == 0:
        return None
    if length < 16 or len(data) < 24:
        raise ParseError("answer to READ RESERVATION is cut off", got=len(data))
    (key,) = struct.unpack_from(">Q", data, 8)
    return {"key": key, "type": data[21] & 0x0F}


def parse_capabilities(data):
    """What REPORT CAPABILITIES says: can keys survive a loss of power, do they, and the supported types (None: not told)."""
    if len(data) < 8 or struct.unpack_from(">H", data)[0] != 8:
        raise ParseError("answer to REPORT CAPABILITIES has an unknown length", data=data.hex())
    types = None
    if data[3] & 0x80:  # TMV: the type mask is valid
        types = [number for number, (byte, bit) in _TYPE_BITS.items() if data[4 + byte] & bit]
    return {"aptpl_capable": bool(data[2] & 0x01), "aptpl_active": bool(data[3] & 0x01), "types": types}


def parse_full_status(data):
    """Generation and all registrations of READ FULL STATUS."""
    generation, length = _parse_header(data)
    if len(data) < 8 + length:
        raise ParseError("answer to READ FULL STATUS is cut off", expected=length, got=len(data) - 8)
    registrations, offset = [], 8
    while offset < 8 + length:
        key, flags, kind = struct.unpack_from(">Q4xBB", data, offset)
        (target_port,) = struct.unpack_from(">H", data, offset + 18)
        (additional,) = struct.unpack_from(">I", data, offset + 20)
        transport = data[offset + 24 : offset + 24 + additional]
        holder = bool(flags & 0x01)
        registrations.append(Registration(key, parse_transport_id(transport), target_port, holder, kind & 0x0F if holder else 0))
        offset += 24 + additional
    return generation, registrations


def parse_transport_id(data):
    """The initiator port of an iSCSI TransportID (C(iqn...,i,0xISID), SPC-4 7.6.4.6); others as hexadecimal digits."""
    if len(data) > 4 and data[0] & 0x0F == 0x05:
        return data[4:].split(b"\0", 1)[0].decode("ascii", errors="replace")
    return data.hex()


def _parse_header(data):
    if len(data) < 8:
        raise ParseError("answer to PERSISTENT RESERVE IN is shorter than its header", got=len(data))
    return struct.unpack_from(">II", data)


def key_text(key):
    """A key as every tool and file of the project writes it."""
    return f"0x{key:016x}"


def parse_key(text):
    """A key from text or number; raises C(ValueError) for zero and for more than 64 bits."""
    key = text if isinstance(text, int) else int(str(text), 0)
    if not 0 < key < 1 << 64:
        raise ValueError(f"{text} is not a key between 1 and 2^64-1")
    return key
