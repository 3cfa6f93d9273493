"""What the initiator still lacks, and what is refused."""

from __future__ import annotations

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils.errors import RefusedError
from ansible_collections.holdfast.cluster.plugins.module_utils.iscsi_plan import (
    WantedInitiator,
    expect_initiator,
    plan_initiator,
)

from .support import described

PREFIX = "iqn.2026-11.lab.holdfast:lab"
A, B = (f"{PREFIX}:san1:storage-{x} 10.20.{n}.5:3260" for x, n in (("a", 1), ("b", 2)))
PORTALS = [dict(zip(("target", "portal"), name.split(" "), strict=True)) for name in (A, B)]
WANTED = WantedInitiator(f"{PREFIX}:node1", PORTALS, {})
BARE = {"initiator_name": "iqn.1993-08.org.debian:01:abc", "service_sessions": [], "records": {}, "sessions": {}}


def plan(before, wanted=WANTED, allow_removal=False):
    return described(plan_initiator(before, wanted, PREFIX, allow_removal))


def test_bare_node_logs_in_in_the_order_of_the_list():
    assert plan(BARE) == [
        f"set_initiator_name {PREFIX}:node1",
        f"create_record {A}",
        f"create_record {B}",
        "write_service_sessions of the login service",
        f"log_in {A}",
        f"log_in {B}",
    ]


def test_connected_node_needs_nothing_and_a_cut_off_run_is_finished():
    done = expect_initiator(BARE, WANTED, PREFIX)
    assert plan(done) == []
    del done["sessions"][B]
    done["records"][A] = ["node.startup"]
    assert plan(done) == [f"update_record {A}", f"log_in {B}"]


def test_name_does_not_change_under_a_session():
    before = {**BARE, "sessions": {A: {"number": 1}}}
    with pytest.raises(RefusedError, match="sessions end before"):
        plan(before)


def test_removal_needs_a_yes_and_leaves_other_targets_alone():
    before = expect_initiator(BARE, WANTED, PREFIX)
    before["sessions"]["iqn.2003-01.org.other:x 10.9.9.9:3260"] = {"number": 9}
    absent = WantedInitiator("", [], {})
    with pytest.raises(RefusedError, match="no longer names"):
        plan(before, absent)
    assert plan(before, absent, allow_removal=True) == [
        f"log_out {A}", f"log_out {B}", f"delete_record {A}", f"delete_record {B}",
        "write_service_sessions of the login service",
    ]  # fmt: skip
    left = expect_initiator(before, absent, PREFIX)
    assert list(left["sessions"]) == ["iqn.2003-01.org.other:x 10.9.9.9:3260"]
    assert plan(left, absent, allow_removal=True) == []
