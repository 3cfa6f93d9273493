"""The part of the D-Bus wire format that talking to systemd needs (D-Bus specification, "Message Protocol").

Little-endian only. Values are written by signature; read values come back as Python's own types.
"""

from __future__ import annotations

import struct
from typing import Any

_FIXED = {"y": "<B", "b": "<I", "n": "<h", "q": "<H", "i": "<i", "u": "<I", "x": "<q", "t": "<Q", "d": "<d", "h": "<I"}
_ALIGNMENTS = {"s": 4, "o": 4, "g": 1, "a": 4, "(": 8, "{": 8, "v": 1}


def split_signature(signature: str) -> list[str]:
    """The complete types of a signature, one by one."""
    types, position = [], 0
    while position < len(signature):
        end = _type_end(signature, position)
        types.append(signature[position:end])
        position = end
    return types


def _type_end(signature: str, position: int) -> int:
    if signature[position] == "a":
        return _type_end(signature, position + 1)
    if signature[position] not in "({":
        return position + 1
    depth = 0
    while True:
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(signature[position], 0)
        position += 1
        if depth == 0:
            return position


def _alignment(kind: str) -> int:
    return struct.calcsize(_FIXED[kind[0]]) if kind[0] in _FIXED else _ALIGNMENTS[kind[0]]


class Writer:
    """Builds a message body or header."""

    def __init__(self) -> None:
        self.data = bytearray()

    def align(self, size: int) -> None:
        """Pad to a multiple of ``size``."""
        self.data += b"\0" * (-len(self.data) % size)

    def write_all(self, signature: str, values: tuple[Any, ...]) -> None:
        """Write one value per complete type."""
        for kind, value in zip(split_signature(signature), values, strict=True):
            self.write(kind, value)

    def write(self, kind: str, value: Any) -> None:
        """Write one value of one complete type; a variant is given as (signature, value)."""
        self.align(_alignment(kind))
        if kind in _FIXED:
            self.data += struct.pack(_FIXED[kind], value)
        elif kind in "so":
            text = value.encode()
            self.data += struct.pack("<I", len(text)) + text + b"\0"
        elif kind == "g":
            self.data += bytes([len(value)]) + value.encode() + b"\0"
        elif kind == "v":
            self.write("g", value[0])
            self.write(value[0], value[1])
        elif kind[0] == "a":
            self._write_array(kind[1:], value)
        else:
            self.write_all(kind[1:-1], tuple(value))

    def _write_array(self, element: str, values: Any) -> None:
        length_at = len(self.data)
        self.data += b"\0" * 4
        self.align(_alignment(element))
        start = len(self.data)
        for value in values:
            self.write(element, value)
        struct.pack_into("<I", self.data, length_at, len(self.data) - start)


class Reader:
    """Reads values from a message."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data, self.position = data, position

    def align(self, size: int) -> None:
        """Skip padding."""
        self.position += -self.position % size

    def read_all(self, signature: str) -> list[Any]:
        """One value per complete type."""
        return [self.read(kind) for kind in split_signature(signature)]

    def read(self, kind: str) -> Any:
        """One value of one complete type; a variant comes back as its bare value."""
        self.align(_alignment(kind))
        if kind in _FIXED:
            (value,) = struct.unpack_from(_FIXED[kind], self.data, self.position)
            self.position += struct.calcsize(_FIXED[kind])
            return bool(value) if kind == "b" else value
        if kind in "so":
            return self._read_text(self.read("u"))
        if kind == "g":
            return self._read_text(self.read("y"))
        if kind == "v":
            return self.read(self.read("g"))
        if kind[0] == "a":
            return self._read_array(kind[1:])
        return self.read_all(kind[1:-1])

    def _read_text(self, length: int) -> str:
        text = self.data[self.position : self.position + length].decode("utf-8", "replace")
        self.position += length + 1
        return text

    def _read_array(self, element: str) -> list[Any]:
        length = self.read("u")
        self.align(_alignment(element))
        end = self.position + length
        values = []
        while self.position < end:
            values.append(self.read(element))
        return values
