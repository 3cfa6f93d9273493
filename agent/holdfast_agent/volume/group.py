"""A volume group as its metadata describes it, and the device-mapper tables that follow from it.

Pure: text in, tables out. Only linear and striped volumes are computed here; everything else (mirrors, thin, cache,
snapshots) is left to LVM itself, which the caller recognises by UnsupportedLayoutError.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import VolumeError
from .lvm_text import Section, parse_lvm_text


class UnsupportedLayoutError(VolumeError):
    """A logical volume has a layout that only LVM's own tools activate."""


@dataclass(frozen=True)
class TableLine:
    """One device-mapper target; start and length in sectors of 512 bytes."""

    start: int
    length: int
    target: str
    parameters: str


@dataclass(frozen=True)
class VolumeGroup:
    """The parsed metadata: enough to activate, and to notice that it changed (``seqno``)."""

    name: str
    uuid: str
    seqno: int
    system_id: str
    extent_sectors: int
    physical_volumes: Mapping[str, tuple[str, int]]
    volumes: Mapping[str, Section]

    @property
    def physical_uuids(self) -> frozenset[str]:
        """The uuids (no dashes) of every physical volume that the group is made of."""
        return frozenset(uuid for uuid, _ in self.physical_volumes.values())


def parse_volume_group(text: str) -> VolumeGroup:
    """Read the one volume group of a metadata text; raises VolumeError where a part is missing."""
    groups = {name: body for name, body in parse_lvm_text(text).items() if isinstance(body, dict)}
    if len(groups) != 1:
        raise VolumeError(f"metadata describes {len(groups)} volume groups")
    ((name, body),) = groups.items()
    try:
        return VolumeGroup(
            name=name,
            uuid=_plain(body["id"]),
            seqno=body["seqno"],
            system_id=body.get("system_id", ""),
            extent_sectors=body["extent_size"],
            physical_volumes={
                key: (_plain(volume["id"]), volume["pe_start"]) for key, volume in body["physical_volumes"].items()
            },
            volumes=body.get("logical_volumes", {}),
        )
    except (KeyError, AttributeError, TypeError) as error:
        raise VolumeError(f"metadata of volume group {name} lacks {error}") from error


def mapper_name(group: str, volume: str) -> str:
    """Device-mapper name of a logical volume: dashes are doubled (libdm, dm_build_dm_name)."""
    return f"{group.replace('-', '--')}-{volume.replace('-', '--')}"


def mapper_uuid(group: VolumeGroup, volume: str) -> str:
    """Device-mapper uuid by which LVM recognises an active volume (lib/misc/lvm-string.c, build_dm_uuid)."""
    return f"LVM-{group.uuid}{_plain(_volume(group, volume)['id'])}"


def build_table(group: VolumeGroup, volume: str, devices: Mapping[str, str]) -> tuple[TableLine, ...]:
    """Table of one volume; ``devices`` maps PV uuids (no dashes) to "major:minor"."""
    body = _volume(group, volume)
    if "VISIBLE" not in body.get("status", []) or "READ" not in body["status"]:
        raise UnsupportedLayoutError(f"{group.name}/{volume} is not an ordinary visible volume")
    segments = [body[f"segment{number}"] for number in range(1, body["segment_count"] + 1)]
    return tuple(_build_line(group, volume, segment, devices) for segment in segments)


def _build_line(group: VolumeGroup, volume: str, segment: Section, devices: Mapping[str, str]) -> TableLine:
    if segment["type"] != "striped":
        raise UnsupportedLayoutError(f"{group.name}/{volume} has a segment of type {segment['type']}")
    start = segment["start_extent"] * group.extent_sectors
    length = segment["extent_count"] * group.extent_sectors
    stripes = segment["stripes"]
    areas = [_area(group, stripes[i], stripes[i + 1], devices) for i in range(0, len(stripes), 2)]
    if segment["stripe_count"] == 1:
        return TableLine(start, length, "linear", areas[0])
    return TableLine(start, length, "striped", f"{len(areas)} {segment['stripe_size']} {' '.join(areas)}")


def _area(group: VolumeGroup, physical: str, extent: int, devices: Mapping[str, str]) -> str:
    uuid, pe_start = group.physical_volumes[physical]
    if uuid not in devices:
        raise VolumeError(f"physical volume {uuid} of {group.name} is missing")
    return f"{devices[uuid]} {pe_start + extent * group.extent_sectors}"


def _volume(group: VolumeGroup, volume: str) -> dict[str, Any]:
    if volume not in group.volumes:
        raise VolumeError(f"volume group {group.name} has no volume {volume}")
    return group.volumes[volume]


def _plain(uuid: str) -> str:
    return uuid.replace("-", "")
