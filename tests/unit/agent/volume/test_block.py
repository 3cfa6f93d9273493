"""Mounts and active volumes."""

from __future__ import annotations

from pathlib import Path

from holdfast_agent.volume.block import Mount, list_group_devices, list_mounts

MOUNTINFO = """22 1 98:0 / / rw,relatime shared:1 - ext4 /dev/root rw
36 22 253:5 / /srv/my\\040data rw,noatime shared:9 master:1 - xfs /dev/dm-5 rw,attr2
"""


def test_mountinfo_with_optional_fields_and_escapes(tmp_path: Path) -> None:
    (tmp_path / "mountinfo").write_text(MOUNTINFO)
    assert list_mounts(tmp_path / "mountinfo") == (Mount("98:0", "/", "ext4"), Mount("253:5", "/srv/my data", "xfs"))


def test_only_volumes_of_this_very_group(tmp_path: Path) -> None:
    for number, name, uuid in ((1, "vg_erp-data", "LVM-a"), (2, "vg_erp--b-data", "LVM-b"), (3, "vg_erp-x", "mpath-c")):
        directory = tmp_path / f"block/dm-{number}/dm"
        directory.mkdir(parents=True)
        (directory / "name").write_text(name)
        (directory / "uuid").write_text(uuid)
    assert list_group_devices("vg_erp", tmp_path) == {"vg_erp-data": "dm-1"}
    assert list_group_devices("vg_erp-b", tmp_path) == {"vg_erp--b-data": "dm-2"}
