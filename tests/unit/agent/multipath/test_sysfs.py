"""Maps and paths from a made-up sysfs."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_agent.multipath.sysfs import MultipathMap, PathDevice, list_maps, list_paths, read_state

WWID = "36001405aabbccddeeff00112233445566"


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    for name, address, number, state in (("sda", "2:0:0:0", "8:0", "running"), ("sdb", "3:0:0:0", "8:16", "transport-offline")):
        device = tmp_path / "devices" / address
        device.mkdir(parents=True)
        (device / "wwid").write_text(f"naa.{WWID[1:]}\n")
        (device / "state").write_text(f"{state}\n")
        block = tmp_path / "block" / name
        block.mkdir(parents=True)
        (block / "dev").write_text(f"{number}\n")
        (block / "device").symlink_to(device)
    mapped = tmp_path / "block/dm-3"
    (mapped / "dm").mkdir(parents=True)
    (mapped / "dm/uuid").write_text(f"mpath-{WWID}\n")
    (mapped / "dm/name").write_text("erp-data\n")
    (mapped / "slaves").mkdir()
    (mapped / "slaves/sda").symlink_to(tmp_path / "block/sda")
    other = tmp_path / "block/dm-4/dm"
    other.mkdir(parents=True)
    (other / "uuid").write_text("LVM-abc\n")
    return tmp_path


def test_a_map_with_the_paths_it_holds(sysfs: Path) -> None:
    path = PathDevice("sda", "8:0", "2:0:0:0", "running")
    assert list_maps(sysfs) == {WWID: MultipathMap(WWID, "erp-data", "dm-3", (path,))}
    assert path.device == "/dev/sda"
    assert list_maps(sysfs)[WWID].device == "/dev/dm-3"


def test_paths_of_a_lun_also_outside_its_map(sysfs: Path) -> None:
    other = "3600140500000000000000000000000000"
    found = list_paths(frozenset({WWID, other}), sysfs)
    assert [(path.name, path.state) for path in found[WWID]] == [("sda", "running"), ("sdb", "transport-offline")]
    assert found[other] == ()
    assert (read_state("sda", sysfs), read_state("sdz", sysfs)) == ("running", "gone")


def test_a_path_knows_its_iscsi_session(tmp_path: Path) -> None:
    device = tmp_path / "devices/platform/host2/session5/target2:0:0/2:0:0:0"
    device.mkdir(parents=True)
    (device / "wwid").write_text("naa." + WWID[1:] + "\n")
    (device / "state").write_text("running\n")
    (tmp_path / "block/sdc").mkdir(parents=True)
    (tmp_path / "block/sdc/dev").write_text("8:32\n")
    (tmp_path / "block/sdc/device").symlink_to(device)
    assert list_paths(frozenset({WWID}), tmp_path)[WWID] == (PathDevice("sdc", "8:32", "2:0:0:0", "running", 5),)
