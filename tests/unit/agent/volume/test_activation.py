"""From the bytes of a real physical volume to device-mapper tables; recorded on a lab node with LVM 2.03.31."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from holdfast_agent.errors import VolumeError
from holdfast_agent.volume import activation, lvm_disk
from holdfast_agent.volume.activation import activate_group, claim_group, lvm_options, read_group
from holdfast_agent.volume.device_mapper import Mapped
from holdfast_agent.volume.group import (
    TableLine,
    UnsupportedLayoutError,
    VolumeGroup,
    build_table,
    mapper_name,
    mapper_uuid,
    parse_volume_group,
)
from holdfast_agent.volume.lvm_disk import PhysicalVolume, read_physical_volume

from tests.closed_environment import Tools

RECORDED = Path(__file__).parent / "recorded/erp_data_first_mebibyte.b64"


@pytest.fixture
def disk() -> bytearray:
    return bytearray(zlib.decompress(base64.b64decode(RECORDED.read_text())))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], PhysicalVolume]:
    """Read a physical volume from bytes, as if they were a device."""

    def from_bytes(content: bytes) -> PhysicalVolume:
        monkeypatch.setattr(lvm_disk, "_read", lambda handle, offset, length: bytes(content[offset : offset + length]))
        monkeypatch.setattr(lvm_disk.os, "open", lambda *_: 99)
        monkeypatch.setattr(lvm_disk.os, "close", lambda _: None)
        return read_physical_volume("/dev/dm-0")

    return from_bytes


@pytest.fixture
def group(disk: bytearray, read: Callable[[bytes], PhysicalVolume]) -> VolumeGroup:
    return parse_volume_group(read(disk).metadata)


def test_label_areas_and_text_check(disk: bytearray, read: Callable[[bytes], PhysicalVolume]) -> None:
    volume = read(disk)
    group = parse_volume_group(volume.metadata)
    assert len(volume.uuid) == 32
    assert (group.name, group.physical_uuids) == ("vg_erp", {volume.uuid})
    assert set(group.volumes) == {"data"}
    assert group.seqno > 1


def test_the_table_is_the_one_that_the_kernel_had(group: VolumeGroup) -> None:
    (uuid,) = group.physical_uuids
    # dmsetup table on the node at that time: 0 8372224 linear 254:0 16384
    assert build_table(group, "data", {uuid: "254:0"}) == (TableLine(0, 8372224, "linear", "254:0 16384"),)


def test_names_as_lvm_makes_them(group: VolumeGroup) -> None:
    assert mapper_name("vg-a", "data-1") == "vg--a-data--1"
    uuid = mapper_uuid(group, "data")
    assert uuid.startswith("LVM-") and len(uuid) == 68 and "-" not in uuid[4:]


@pytest.mark.parametrize("place", ["label", "header", "text"])
def test_a_flipped_bit_anywhere_is_refused(place: str, disk: bytearray, read: Callable[[bytes], PhysicalVolume]) -> None:
    text = parse_area(disk)
    disk[{"label": 540, "header": 4096 + 24, "text": text + 30}[place]] ^= 1
    with pytest.raises(VolumeError):
        read(disk)


def parse_area(disk: bytearray) -> int:
    location = lvm_disk.parse_area_header(bytes(disk[4096 : 4096 + 512]))
    assert location is not None
    return 4096 + location[0]


def test_a_disk_without_label_is_no_physical_volume(read: Callable[[bytes], PhysicalVolume]) -> None:
    with pytest.raises(VolumeError, match="no LVM2 label"):
        read(bytes(1 << 20))


def volumes(disk: bytearray, read: Callable[[bytes], PhysicalVolume], *, change: tuple[str, str] = ("", "")) -> PhysicalVolume:
    found = read(disk)
    return PhysicalVolume("/dev/dm-1", found.uuid, found.metadata.replace(*change) if change[0] else found.metadata)


def test_groups_that_must_not_be_activated(disk: bytearray, read: Callable[[bytes], PhysicalVolume]) -> None:
    good = read(disk)
    older = volumes(disk, read, change=(f"seqno = {parse_volume_group(good.metadata).seqno}", "seqno = 1"))
    by_device = {"good": good, "older": older, "blank": PhysicalVolume("/dev/dm-2", "x" * 32, "")}
    assert read_group("vg_erp", ["good"], by_device.__getitem__)[0].name == "vg_erp"
    for name, devices, reason in (
        ("vg_other", ["good"], "carry volume group vg_erp"),
        ("vg_erp", ["good", "older"], "disagree"),
        ("vg_erp", ["blank"], "no metadata"),
    ):
        with pytest.raises(VolumeError, match=reason):
            read_group(name, devices, by_device.__getitem__)


def test_a_missing_physical_volume_is_refused(disk: bytearray, read: Callable[[bytes], PhysicalVolume]) -> None:
    stranger = PhysicalVolume("/dev/dm-1", "y" * 32, read(disk).metadata)
    with pytest.raises(VolumeError, match="missing"):
        read_group("vg_erp", ["stranger"], {"stranger": stranger}.__getitem__)


@pytest.mark.parametrize(
    ("old", "new"), [('type = "striped"', 'type = "thin"'), ('"VISIBLE"', '"PVMOVE"'), ('"READ", ', "")]
)
def test_layouts_for_lvm_itself(old: str, new: str, disk: bytearray, read: Callable[[bytes], PhysicalVolume]) -> None:
    changed = parse_volume_group(read(disk).metadata.replace(old, new))
    with pytest.raises(UnsupportedLayoutError):
        build_table(changed, "data", dict.fromkeys(changed.physical_uuids, "254:0"))


def test_stripes() -> None:
    segment = {"type": "striped", "start_extent": 0, "extent_count": 4, "stripe_count": 2, "stripe_size": 128,
               "stripes": ["pv0", 10, "pv1", 20]}  # fmt: skip
    volume = {"id": "a-b", "status": ["READ", "WRITE", "VISIBLE"], "segment_count": 1, "segment1": segment}
    group = VolumeGroup("vg", "u", 1, "", 8192, {"pv0": ("A", 2048), "pv1": ("B", 2048)}, {"data": volume})
    expected = f"2 128 254:0 {2048 + 10 * 8192} 254:1 {2048 + 20 * 8192}"
    assert build_table(group, "data", {"A": "254:0", "B": "254:1"}) == (TableLine(0, 4 * 8192, "striped", expected),)


@pytest.fixture
def activated(monkeypatch: pytest.MonkeyPatch, disk: bytearray, read: Callable[[bytes], PhysicalVolume]) -> list[str]:
    found, created = read(disk), list[str]()
    monkeypatch.setattr(activation, "read_group", lambda name, devices: (
        parse_volume_group(found.metadata), {found.uuid: "/dev/dm-0"}))  # fmt: skip
    monkeypatch.setattr(activation, "device_number", lambda name: "254:0")
    monkeypatch.setattr(activation, "create_mapped", lambda name, uuid, table: created.append(name))
    monkeypatch.setattr(activation, "find_mapped", lambda name: None)
    return created


def test_activation_makes_every_volume(activated: list[str]) -> None:
    activate_group("vg_erp", ("/dev/dm-0",))
    assert activated == ["vg_erp-data"]


def test_an_active_volume_with_another_table_is_refused(
    monkeypatch: pytest.MonkeyPatch, activated: list[str], group: VolumeGroup
) -> None:
    present = Mapped("vg_erp-data", mapper_uuid(group, "data"), 254, 2, 0)
    monkeypatch.setattr(activation, "find_mapped", lambda name: present)
    monkeypatch.setattr(activation, "read_table", lambda name: (TableLine(0, 8372224, "linear", "254:0 16384"),))
    activate_group("vg_erp", ("/dev/dm-0",))
    monkeypatch.setattr(activation, "read_table", lambda name: (TableLine(0, 8, "linear", "254:9 0"),))
    with pytest.raises(VolumeError, match="does not follow"):
        activate_group("vg_erp", ("/dev/dm-0",))
    assert activated == []


def test_claiming_changes_a_foreign_system_id_only(tools: Tools, group: VolumeGroup) -> None:
    assert not claim_group(group, ("/dev/dm-0",), group.system_id)
    tools.expect("lvm", "vgchange", "--yes", "--systemid", "node9")
    assert claim_group(group, ("/dev/dm-0",), "node9")
    assert f'--config=local/extra_system_ids=["{group.system_id}"]' in tools.calls[0]
    assert "--devices=/dev/dm-0" in lvm_options(group, ("/dev/dm-0",))
    assert "removemissing" not in " ".join(tools.calls[0])
