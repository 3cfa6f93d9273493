"""LVM's report (recorded), and what a node may do for a shared volume group."""

from __future__ import annotations

from copy import deepcopy

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils import lvm_report, volume_plan
from ansible_collections.holdfast.cluster.plugins.module_utils.errors import ParseError, RefusedError
from ansible_collections.holdfast.cluster.plugins.module_utils.reservation_key import build_key

from .support import described, recorded

DEVICE = "/dev/mapper/erp-data"
GIB = 2**30
EXTENT = volume_plan.EXTENT_BYTES
VOLUMES = [{"name": "data", "size": "100%FREE", "fstype": "xfs"}]


def wanted(create=True, volumes=VOLUMES, devices=(DEVICE,)):
    return volume_plan.WantedGroup("vg_erp", list(devices), volumes, "lab", 1, create)


def lun(size=4 * GIB, content=(), group=None, keys=()):
    return {"size": size, "content": list(content), "group": group, "keys": list(keys)}


def state(device=None, group=None, listed=(DEVICE,)):
    return {"system_id": "node1", "devices_file": list(listed), "devices": {DEVICE: device or lun()}, "group": group}


def group(system_id="node1", mounted=False, free=0, size=4 * GIB, lv=4 * GIB - 2 * EXTENT, fstype="xfs", filesystem=None):
    volume = {"size": lv, "active": mounted, "fstype": fstype, "mounted": mounted, "filesystem_size": filesystem or lv}
    return {
        "system_id": system_id, "autoactivation": False, "free": free, "extent": EXTENT,
        "devices": {DEVICE: size}, "volumes": {"data": volume},
    }  # fmt: skip


OURS = lun(content=["LVM2_member"], group="vg_erp")


def test_recorded_report():
    groups, owners = lvm_report.parse_report(recorded("lvm_fullreport_2.03.31.json"))
    assert owners == {DEVICE: "vg_erp"}
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


def test_a_device_of_a_group_that_is_just_being_made_belongs_to_none():
    # As lvm 2.03.31 answered between another node's pvcreate and vgcreate.
    row = '{"pv_name": "/dev/mapper/shop-data", "pv_size": "2147483648", "pe_start": "8388608", "vg_name": ""}'
    text = f'{{"report": [{{"pv": [{row}]}}]}}'
    assert lvm_report.parse_report(text) == ({}, {"/dev/mapper/shop-data": None})
