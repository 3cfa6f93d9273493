"""What the array lets through, on every single path, before and after a fault."""

from __future__ import annotations

import errno
import time

import pytest

from holdfast.lab.wait import wait_for

from .conftest import CLUSTER, Lab

pytestmark = pytest.mark.lab
LUN = "erp-lock"
THROUGH = [0, 0, 0]
REFUSED = [errno.EBADE] * 3


def reserve(lab: Lab, node: str, key: str, **options):
    return lab.module(node, "scsi_reservation", lun=f"/dev/mapper/{LUN}", cluster=CLUSTER, key=key, **options)


def wait_for_paths(lab: Lab, node: str) -> None:
    """Until both paths of all LUNs are ready again."""
    def ready() -> bool | None:
        return lab.run(node, "multipathd show paths raw format '%t %T'").split("\n").count("active ready") >= 4 or None

    wait_for(f"{node}'s paths", ready, timeout_seconds=60, interval_seconds=2)


def test_module_in_four_steps_and_writes_over_every_path(lab, keys):
    steps = [reserve(lab, "node1", keys["node1"], check=check)["changed"] for check in (True, False, True, False)]
    assert steps == [True, True, False, False]
    assert lab.writes("node1", LUN) == THROUGH
    assert lab.writes("node2", LUN) == REFUSED


def test_a_preempted_node_is_refused_on_every_path(lab, keys):
    reserve(lab, "node1", keys["node1"])
    reserve(lab, "node2", keys["node2"], state="registered")
    assert lab.writes("node2", LUN) == THROUGH
    reserve(lab, "node1", keys["node1"], preempt=[keys["node2"]])
    assert lab.writes("node2", LUN) == REFUSED
    assert lab.writes("node1", LUN) == THROUGH


def test_foreign_reservations_are_refused_and_stay(lab, keys):
    reserve(lab, "node1", keys["node1"])
    taken = reserve(lab, "node2", keys["node2"])
    assert taken["failed"]
    assert "name that key under preempt" in taken["msg"]
    stranger = lab.module("node2", "scsi_reservation", lun=f"/dev/mapper/{LUN}", cluster="other", key="0x1", state="absent")
    assert stranger["failed"]
    assert lab.writes("node1", LUN) == THROUGH


def boot_id(lab, node):
    """What is new with every boot; None while the node does not answer."""
    try:
        return lab.run(node, "cat /proc/sys/kernel/random/boot_id").strip()
    except RuntimeError:
        return None


@pytest.mark.parametrize("cut", ["power", "reboot"])
def test_keys_survive_a_restart_of_the_array(lab, keys, cut):
    reserve(lab, "node1", keys["node1"])
    if cut == "power":
        lab.verb("power", "off", "san1")
        lab.verb("power", "--wait", "on", "san1")
    else:
        first_boot = boot_id(lab, "san1")
        lab.run("san1", "systemctl reboot")
        wait_for("the array boots", lambda: boot_id(lab, "san1") not in (None, first_boot) or None, timeout_seconds=180)
    for node in ("node1", "node2"):
        wait_for_paths(lab, node)
    seen = lab.module("node1", "scsi_reservation_info", luns=[f"/dev/mapper/{LUN}"])["reservations"][0]
    assert seen["holder"] == keys["node1"]
    assert [path["registered_key"] for path in seen["paths"]] == [keys["node1"]] * 2
    assert lab.writes("node1", LUN) == THROUGH
    assert lab.writes("node2", LUN) == REFUSED


def test_a_returning_path_carries_writes(lab, keys):
    reserve(lab, "node1", keys["node1"])
    lab.verb("cable", "unplug", "node1", "storage_a")
    time.sleep(10)
    lab.verb("cable", "plug", "node1", "storage_a")
    wait_for_paths(lab, "node1")
    assert lab.writes("node1", LUN) == THROUGH
