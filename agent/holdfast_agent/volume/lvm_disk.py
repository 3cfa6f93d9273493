"""Reading LVM2's label and metadata area of a physical volume past the page cache.

Layout (lib/label/label.h, lib/format_text/layout.h of LVM 2.03): a label in one of the first four sectors, behind it
the PV header with its data and metadata areas, and per metadata area a header sector that points to the current text.
Every piece carries LVM's CRC; a piece that does not check is an error, never a guess.
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from dataclasses import dataclass

from ..errors import VolumeError

_SECTOR = 512
_LABEL_SECTORS = 4
_LABEL = struct.Struct("<8sQII8s")
_LABEL_ID, _LABEL_TYPE = b"LABELONE", b"LVM2 001"
_AREA = struct.Struct("<QQ")
_MDA_HEADER = struct.Struct("<I16sIQQ")
_MDA_MAGIC = b" LVM2 x[5A%r0N*>"
_LOCATION = struct.Struct("<QQII")
_LOCATION_IGNORED = 0x1
# lib/misc/crc.h: INITIAL_CRC of LVM's checksums.
_INITIAL_CRC = 0xF597A6CF
_ALIGNMENT = 4096


@dataclass(frozen=True)
class PhysicalVolume:
    """What a device's label says: its PV uuid (32 characters, no dashes) and the metadata text, "" where it has none."""

    device: str
    uuid: str
    metadata: str


def lvm_crc(data: bytes) -> int:
    """LVM's CRC-32: the usual polynomial with its own start value and without the final inversion."""
    return zlib.crc32(data, _INITIAL_CRC ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


def read_physical_volume(device: str) -> PhysicalVolume:
    """Read label and current metadata; raises VolumeError where the device is no healthy LVM2 physical volume."""
    try:
        handle = os.open(device, os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC)
    except OSError as error:
        raise VolumeError(f"{device}: {error.strerror}", device=device) from error
    try:
        label = find_label(_read(handle, 0, _LABEL_SECTORS * _SECTOR))
        uuid, areas = parse_pv_header(label)
        metadata = ""
        for start, size in areas:
            metadata = _read_metadata_area(handle, start, size) or metadata
    except (OSError, struct.error) as error:
        raise VolumeError(f"{device}: {error}", device=device) from error
    finally:
        os.close(handle)
    return PhysicalVolume(device, uuid, metadata)


def find_label(sectors: bytes) -> bytes:
    """The label sector from its PV header on; raises VolumeError where no sector carries a valid label."""
    for start in range(0, len(sectors), _SECTOR):
        sector = sectors[start : start + _SECTOR]
        identity, _, checksum, offset, kind = _LABEL.unpack_from(sector)
        if identity == _LABEL_ID and kind == _LABEL_TYPE and lvm_crc(sector[20:]) == checksum:
            return sector[offset:]
    raise VolumeError("no LVM2 label found")


def parse_pv_header(header: bytes) -> tuple[str, list[tuple[int, int]]]:
    """PV uuid and the metadata areas as (start, size) in bytes."""
    uuid = header[:32].decode("ascii")
    # Two zero-ended lists follow the 8 bytes of device size: data areas, then metadata areas.
    _, offset = _parse_areas(header, 40)
    areas, _ = _parse_areas(header, offset)
    return uuid, areas


def _parse_areas(header: bytes, offset: int) -> tuple[list[tuple[int, int]], int]:
    areas: list[tuple[int, int]] = []
    while True:
        start, size = _AREA.unpack_from(header, offset)
        offset += _AREA.size
        if start == 0:
            return areas, offset
        areas.append((start, size))


def _read_metadata_area(handle: int, start: int, size: int) -> str:
    header = _read(handle, start, _SECTOR)
    location = parse_area_header(header)
    if location is None:
        return ""
    offset, length, checksum = location
    # The text lives in a ring behind the header sector and may run over its end.
    first = min(length, size - offset)
    text = _read(handle, start + offset, first)
    if first < length:
        text += _read(handle, start + _SECTOR, length - first)
    if lvm_crc(text) != checksum:
        raise VolumeError("metadata text does not match its checksum")
    return text.rstrip(b"\0").decode("utf-8")


def parse_area_header(header: bytes) -> tuple[int, int, int] | None:
    """(offset, length, checksum) of the committed text, None where the area is empty or to be ignored."""
    checksum, magic, version, _, _ = _MDA_HEADER.unpack_from(header)
    if magic != _MDA_MAGIC or version != 1 or lvm_crc(header[4:_SECTOR]) != checksum:
        raise VolumeError("metadata area header does not check")
    offset, length, text_checksum, flags = _LOCATION.unpack_from(header, _MDA_HEADER.size)
    if offset == 0 or flags & _LOCATION_IGNORED:
        return None
    return offset, length, text_checksum


def _read(handle: int, offset: int, length: int) -> bytes:
    """Read any byte range with O_DIRECT, which wants aligned offsets and buffers."""
    begin = offset - offset % _ALIGNMENT
    span = -(-(offset + length - begin) // _ALIGNMENT) * _ALIGNMENT
    with mmap.mmap(-1, span) as page:
        count = os.preadv(handle, [page], begin)
        if count < offset - begin + length:
            raise VolumeError(f"device ends at byte {begin + count}")
        return page[offset - begin : offset - begin + length]
