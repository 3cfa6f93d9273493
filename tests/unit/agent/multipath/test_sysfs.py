"""Maps and paths from a made-up sysfs."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_agent.multipath import sysfs as module
from holdfast_agent.multipath.sysfs import MultipathMap, PathDevice, list_maps, list_paths, read_state

WWID = "36001405aabbccddeeff00112233445566"


def add_disk(root: Path, place: str, name: str, number: str, state: str, wwid: str = WWID) -> None:
    """A disk as the kernel shows it: everything below devices/, and a link in block/."""
    device = root / "devices" / place
    block = device / "block" / name
    block.mkdir(parents=True)
    (device / "wwid").write_text(f"naa.{wwid[1:]}\n")
    (device / "state").write_text(f"{state}\n")
    (block / "dev").write_text(f"{number}\n")
    (block / "device").symlink_to("../../../" + device.name)
    (root / "block").mkdir(exist_ok=True)
    (root / "block" / name).symlink_to(f"../devices/{place}/block/{name}")


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    for name, address, number, state in (("sda", "2:0:0:0", "8:0", "running"), ("sdb", "3:0:0:0", "8:16", "transport-offline")):
        add_disk(tmp_path, f"pci0/host{address[0]}/{address}", name, number, state)
    mapped = tmp_path / "block/dm-3"
    (mapped / "dm").mkdir(parents=True)
    (mapped / "dm/uuid").write_text(f"mpath-{WWID}\n")
    (mapped / "dm/name").write_text("erp-data\n")
    other = tmp_path / "block/dm-4/dm"
    other.mkdir(parents=True)
    (other / "uuid").write_text("LVM-abc\n")
    return tmp_path


def test_a_map_by_its_wwid(sysfs: Path) -> None:
    assert list_maps(None, sysfs) == {WWID: MultipathMap(WWID, "erp-data", "dm-3")}
    assert list_maps(None, sysfs)[WWID].device == "/dev/dm-3"


def test_paths_of_a_lun_also_outside_its_map(sysfs: Path) -> None:
    other = "3600140500000000000000000000000000"
    found = list_paths(frozenset({WWID, other}), sysfs)
    assert [(path.name, path.state) for path in found[WWID]] == [("sda", "running"), ("sdb", "transport-offline")]
    assert found[other] == ()
    assert (read_state("sda", sysfs), read_state("sdz", sysfs)) == ("running", "gone")


def test_a_path_knows_its_iscsi_session(tmp_path: Path) -> None:
    add_disk(tmp_path, "platform/host2/session5/target2:0:0/2:0:0:0", "sdc", "8:32", "running")
    assert list_paths(frozenset({WWID}), tmp_path)[WWID] == (PathDevice("sdc", "8:32", "2:0:0:0", "running", 5),)


def test_a_map_of_another_lun_is_not_asked_for(sysfs: Path) -> None:
    assert list_maps(frozenset({"3600140500000000000000000000000000"}), sysfs) == {}


def test_a_disk_that_has_gone_is_no_path(sysfs: Path) -> None:
    (sysfs / "block/sda").unlink()
    paths = list_paths(frozenset({WWID}), sysfs)[WWID]
    assert [(path.name, path.device) for path in paths] == [("sdb", "/dev/sdb")]


def test_disks_and_maps_of_other_packages_cost_one_read_each(sysfs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        add_disk(sysfs, f"pci0/host5/5:0:0:{number}", f"sdx{number}", f"66:{number}", "running", wwid=f"3600{number:029}")
        (sysfs / f"block/dm-{10 + number}/dm").mkdir(parents=True)
        (sysfs / f"block/dm-{10 + number}/dm/uuid").write_text(f"mpath-3600{number:029}\n")
    read: list[str] = []
    monkeypatch.setattr(module, "read_small", lambda path: read.append(path) or Path(path).read_text())
    wanted = frozenset({WWID})
    assert (len(list_maps(wanted, sysfs)), len(list_paths(wanted, sysfs)[WWID])) == (1, 2)
    assert len(read) == 30 + 30 + len(["uuid of dm-3", "uuid of dm-4", "name of dm-3"]) + 2 * len(["wwid", "dev", "state"])
