"""LVM's report (recorded), and what a node may do for a shared volume group."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils import lvm_report, volume_node, volume_plan
from ansible_collections.holdfast.cluster.plugins.module_utils.errors import ParseError, RefusedError
from ansible_collections.holdfast.cluster.plugins.module_utils.reservation_key import build_key

from .support import described, recorded

DEVICE = "/dev/mapper/erp-data"
GIB = 2**30
EXTENT = volume_plan.EXTENT_BYTES
VOLUMES = [{"name": "data", "size": "100%FREE", "fstype": "xfs"}]


def wanted(create=True, volumes=VOLUMES, devices=(DEVICE,)):
    return volume_plan.WantedGroup("vg_erp", list(devices), volumes, "lab", 1, create)


def lun(size=4 * GIB, content=(), group=None, keys=(), unused=False):
    return {"size": size, "content": list(content), "group": group, "unused": unused, "keys": list(keys)}


def state(device=None, group=None, listed=(DEVICE,)):
    return {"system_id": "node1", "devices_file": list(listed), "devices": {DEVICE: device or lun()}, "group": group}


def group(system_id="node1", mounted=False, free=0, size=4 * GIB, lv=4 * GIB - 2 * EXTENT, fstype="xfs", filesystem=None):
    volume = {"size": lv, "active": mounted, "fstype": fstype, "mounted": mounted, "filesystem_size": filesystem or lv}
    return {
        "system_id": system_id, "autoactivation": False, "free": free, "extent": EXTENT,
        "devices": {DEVICE: size}, "volumes": {"data": volume},
    }  # fmt: skip


def left_active(**words):
    """Not mounted: a run was cut off before it deactivated the group, or an agent is just starting the package."""
    found = group(**words)
    found["volumes"]["data"]["active"] = True
    return found


OWN = build_key("lab", 1, 1)
OURS = lun(content=["LVM2_member"], group="vg_erp")
# What a run leaves that was cut off between pvcreate and vgcreate.
LABELLED = lun(content=["LVM2_member"], unused=True)
MORE = "/dev/mapper/erp-more"


def test_recorded_report():
    groups, members = lvm_report.parse_report(recorded("lvm_fullreport_2.03.31.json"))
    assert members == {DEVICE: ("vg_erp", False)}
    found = groups["vg_erp"]
    assert (found["system_id"], found["autoactivation"], found["devices"]) == ("node1", False, {DEVICE: 4 * GIB})
    assert (found["volumes"]["data"]["fstype"], found["volumes"]["data"]["active"]) == ("xfs", True)


def test_broken_report_and_signatures_are_errors():
    for text in ("", "{}", recorded("lvm_fullreport_2.03.31.json")[:300]):
        with pytest.raises(ParseError):
            lvm_report.parse_report(text)
    assert lvm_report.parse_signatures(recorded("wipefs_lvm_2.41.json")) == ["LVM2_member"]
    assert lvm_report.parse_signatures("") == []
    with pytest.raises(ParseError):
        lvm_report.parse_signatures("{")


@pytest.mark.parametrize(
    ("before", "want", "actions"),
    [
        (
            state(listed=()),
            wanted(),
            [
                "list_device " + DEVICE,
                "create_group vg_erp",
                "create_volume data",
                "create_filesystem data",
                "deactivate_group vg_erp",
            ],
        ),
        (state(listed=()), wanted(create=False), ["list_device " + DEVICE]),
        (state(OURS, group()), wanted(), []),
        (state(OURS, group("node2")), wanted(), []),
        (state(OURS, group(fstype=None)), wanted(), ["create_filesystem data", "deactivate_group vg_erp"]),
        (state(lun(6 * GIB, group="vg_erp"), group()), wanted(), ["resize_device " + DEVICE]),
        (state(lun(6 * GIB, group="vg_erp"), group(mounted=True)), wanted(), ["resize_device " + DEVICE, "grow_volume data"]),
        (state(OURS, group(mounted=True, free=EXTENT)), wanted(), ["grow_volume data"]),
        (state(OURS, group(free=EXTENT)), wanted(), []),
        (state(OURS, group(mounted=True, filesystem=2 * GIB)), wanted(), ["grow_filesystem data"]),
        (state(OURS, {**group(), "autoactivation": True}), wanted(), ["forbid_autoactivation vg_erp"]),
        (
            state(LABELLED),
            wanted(),
            ["create_group vg_erp", "create_volume data", "create_filesystem data", "deactivate_group vg_erp"],
        ),
        (state(LABELLED), wanted(create=False), []),
        (state(OURS, {**group(), "volumes": {}}), wanted(), [
            "create_volume data", "create_filesystem data", "deactivate_group vg_erp"]),
        (state(OURS, left_active()), wanted(), ["deactivate_group vg_erp"]),
        (state(OURS, left_active(fstype=None)), wanted(), ["create_filesystem data", "deactivate_group vg_erp"]),
        (state({**OURS, "keys": [OWN]}, left_active()), wanted(), []),
        (
            {**state(OURS, group(), (DEVICE, MORE)), "devices": {DEVICE: OURS, MORE: LABELLED}},
            wanted(devices=(DEVICE, MORE)),
            ["add_device " + MORE],
        ),
    ],
)
def test_actions(before, want, actions):
    assert described(volume_plan.plan_group(before, want)) == actions


def test_second_volume_is_added_where_there_is_room():
    volumes = [{"name": "data", "size": GIB, "fstype": "xfs"}, {"name": "wal", "size": GIB, "fstype": "ext4"}]
    before = state(OURS, group(lv=GIB, free=2 * GIB))
    assert described(volume_plan.plan_group(before, wanted(volumes=volumes))) == [
        "create_volume wal", "create_filesystem wal", "deactivate_group vg_erp",
    ]  # fmt: skip


PEER, STRANGER = build_key("lab", 2, 1), 0x1234


@pytest.mark.parametrize(
    ("before", "message"),
    [
        (state(lun(content=["gpt"])), "is not blank: gpt"),
        (state(lun(content=["unknown data"])), "not blank"),
        (state(lun(content=["LVM2_member"])), "is not blank: LVM2_member"),
        (state({**LABELLED, "keys": [STRANGER]}), "keys of somebody else"),
        (state(lun(content=["LVM2_member"], group="vg_other")), "belongs to volume group vg_other"),
        (state(lun(keys=[STRANGER])), "keys of somebody else"),
        (state(lun(keys=[PEER])), "node 2 holds its LUNs"),
        ({**state(), "devices": {}}, "does not exist on this node"),
        (state(OURS, {**group(), "devices": {DEVICE: 4 * GIB, "/dev/mapper/old": GIB}}), "also lies on /dev/mapper/old"),
        (state(lun(6 * GIB, group="vg_erp", keys=[PEER]), group()), "node 2 holds its LUNs"),
        (state(OURS, group(fstype="ext4")), "carries ext4, not xfs"),
    ],
)
def test_refusals(before, message):
    with pytest.raises(RefusedError, match=message):
        volume_plan.plan_group(before, wanted())


def test_what_has_to_wait_is_told():
    assert volume_plan.find_waiting(state(OURS, group(free=GIB)), wanted()) == [
        "vg_erp/data grows when its package runs: a file system grows while it is mounted"
    ]
    assert volume_plan.find_waiting(state(OURS, group(mounted=True, free=GIB)), wanted()) == []
    assert volume_plan.find_waiting(state(OURS, group("node2", free=GIB)), wanted()) == []


def test_check_mode_tells_the_state_after():
    before = state(listed=())
    after = volume_plan.expect_group(deepcopy(before), wanted(), volume_plan.plan_group(before, wanted()))
    assert after["devices_file"] == [DEVICE]
    assert after["group"]["system_id"] == "node1"
    assert after["group"]["volumes"]["data"]["fstype"] == "xfs"


def device_alone(group, in_use, areas):
    row = {"pv_name": "/dev/loop0", "pv_size": "134217728", "pe_start": "1048576", "vg_name": group, "pv_in_use": in_use,
           "pv_mda_count": areas}  # fmt: skip
    return lvm_report.parse_report(json.dumps({"report": [{"pv": [row]}]}))


def test_a_device_that_was_only_labelled_is_told_from_one_whose_group_is_not_seen():
    # The recorded one: between pvcreate and vgcreate; a group of another node that is just being made looks the same.
    assert lvm_report.parse_report(recorded("lvm_fullreport_2.03.16_pvcreate.json")) == ({}, {"/dev/loop0": (None, True)})
    # As lvm 2.03.16 answered for a device whose group has its metadata on another one that this node does not see.
    assert device_alone("[unknown]", "used", "1") == ({}, {"/dev/loop0": ("[unknown]", False)})
    # The same from an older LVM, which marks no device as in use.
    assert device_alone("", "", "0") == ({}, {"/dev/loop0": (None, False)})


@pytest.mark.parametrize(("mapped", "volume"), [
    ("vg_erp-data", "data"), ("vg_erp-my--data", "my-data"), ("vg_erp--old-data", None), ("vg_shop-data", None),
    ("erp-data", None),
])  # fmt: skip
def test_a_volume_is_known_by_its_device_whatever_name_it_was_mounted_by(tmp_path, mapped, volume):
    (tmp_path / "254:7/dm").mkdir(parents=True)
    (tmp_path / "254:7/dm/name").write_text(mapped + "\n")
    assert volume_node.volume_of("254:7", "vg_erp", devices=tmp_path) == volume
    assert volume_node.volume_of("8:1", "vg_erp", devices=tmp_path) is None
