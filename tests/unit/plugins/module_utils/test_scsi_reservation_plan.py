"""Truth table of reservation changes: who holds what, what is wanted, what is sent or refused."""

from __future__ import annotations

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils import reservation_key as keys
from ansible_collections.holdfast.cluster.plugins.module_utils.errors import RefusedError
from ansible_collections.holdfast.cluster.plugins.module_utils.scsi_reservation_plan import (
    WantedReservation,
    expect_reservation,
    plan_reservation,
)

from .support import described

MINE, THEIRS, OLD = (keys.build_key("lab", node, epoch) for node, epoch in ((1, 2), (2, 1), (1, 1)))
STRANGER = 0x1234


def state(a=None, b=None, others=(), holder=None, kind=5):
    paths = [{"device": "/dev/sda", "registered_key": a}, {"device": "/dev/sdb", "registered_key": b}]
    present = sorted([*(key for key in (a, b) if key), *others])
    return {"paths": paths, "keys": present, "holder": holder, "type": kind if holder else None}


def want(level="reserved", preempt=(), key=MINE):
    return WantedReservation("lab", key, level, list(preempt))


REGISTER = ["register /dev/sda", "register /dev/sdb"]
EJECT = f"preempt 0x{THEIRS:016x}"


@pytest.mark.parametrize(
    ("before", "wanted", "actions"),
    [
        (state(), want(), [*REGISTER, "reserve the LUN"]),
        (state(), want("registered"), REGISTER),
        (state(), want("absent"), []),
        (state(MINE, MINE, holder=MINE), want(), []),
        (state(MINE, MINE, holder=MINE), want("registered"), []),
        (state(MINE, None, holder=MINE), want(), ["register /dev/sdb"]),
        (state(OLD, OLD), want(), [*REGISTER, "reserve the LUN"]),
        (state(MINE, MINE, holder=MINE), want("absent"), ["release the LUN", "unregister /dev/sda", "unregister /dev/sdb"]),
        (state(MINE, MINE, [THEIRS], THEIRS), want("absent"), ["unregister /dev/sda", "unregister /dev/sdb"]),
        (state(others=[THEIRS, THEIRS], holder=THEIRS), want("registered"), REGISTER),
        (state(others=[THEIRS, THEIRS], holder=THEIRS), want(preempt=[THEIRS]), [*REGISTER, EJECT]),
        (state(others=[THEIRS]), want(preempt=[THEIRS]), [*REGISTER, EJECT, "reserve the LUN"]),
        (state(MINE, MINE, holder=MINE), want(preempt=[THEIRS]), []),
    ],
)
def test_actions(before, wanted, actions):
    assert described(plan_reservation(before, wanted)) == actions
    assert plan_reservation(expect_reservation(before, wanted), wanted) == []


@pytest.mark.parametrize(
    ("before", "wanted", "message"),
    [
        (state(others=[THEIRS], holder=THEIRS), want(), "name that key under preempt"),
        (state(others=[STRANGER]), want(), "somebody else"),
        (state(others=[STRANGER]), want(preempt=[STRANGER]), "somebody else"),
        (state(others=[STRANGER]), want("absent"), "somebody else"),
        (state(), want(key=STRANGER), "not a key of cluster"),
        (state(MINE, MINE, holder=MINE, kind=1), want(), "type 1"),
    ],
)
def test_refusals(before, wanted, message):
    with pytest.raises(RefusedError, match=message):
        plan_reservation(before, wanted)


def test_keys_carry_cluster_node_and_epoch():
    assert f"0x{keys.build_key('lab', 1, 1):016x}" == "0xdc16a3c101000001"
    assert keys.key_is_of_cluster(MINE, "lab")
    assert not keys.key_is_of_cluster(MINE, "other")
    assert keys.key_node_id(THEIRS) == 2
    for node, epoch in ((0, 1), (256, 1), (1, 0), (1, 1 << 24)):
        with pytest.raises(ValueError):
            keys.build_key("lab", node, epoch)
