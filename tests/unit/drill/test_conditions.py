"""Waits: what counts as the awaited state, and what is said while it is not there."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.drill.conditions import CONDITIONS, NodeSeen, Seen, fulfilled
from holdfast.drill.runbook.model import WaitStep
from holdfast.drill.runbook.shape import WAITS


def wait(what: str, **words: Any) -> WaitStep:
    values = {"what": what, "target": None, "state": None, "seconds": 0.0, "fault": None, "timeout_seconds": 60}
    return WaitStep(**{**values, **words})


def node(state: str | None, *, reachable: bool = True, reason: str = "because", can_serve: bool = True,
         **lun: Any) -> NodeSeen:
    view = {"paths": 2, "registered": 0, "error": "", "paths_expected": 2, **lun}
    snapshot = {"state": {"packages": {"erp": {"luns": {"erp-data": view}}}}}
    status = None if state is None else {"packages": {"erp": {"state": state, "reason": reason, "can_serve": can_serve}}}
    return NodeSeen(reachable, status, snapshot)


def pair(one: NodeSeen, two: NodeSeen, **words: Any) -> Seen:
    return Seen({"node1": one, "node2": two}, **words)


HEALTHY = pair(node("owner", registered=2), node("standby"))
GONE = pair(node(None, reachable=False), node("challenging"))

CASES = [
    (wait("package_owned"), ("node1",), HEALTHY, True),
    (wait("package_owned"), ("node2",), HEALTHY, False),
    (wait("package_up"), (), HEALTHY, True),
    (wait("package_up"), (), GONE, False),
    (wait("package_down"), (), pair(node("stopped"), node("standby")), True),
    (wait("package_down"), (), pair(node("stopping"), node("standby")), False),
    (wait("package_down"), (), pair(node("stopped", reason=""), node("standby", reason="")), False),
    (wait("node_down"), ("node1",), GONE, True),
    (wait("node_down"), ("node2",), GONE, False),
    (wait("node_up"), ("node1",), HEALTHY, True),
    (wait("node_up"), ("node1",), pair(node(None), node("owner")), False),
    (wait("node_standby"), ("node2",), HEALTHY, True),
    (wait("node_standby"), ("node1",), HEALTHY, False),
    # One that has just booted and not read the lock LUN yet: a move to it would be refused.
    (wait("node_standby"), ("node2",), pair(node("owner"), node("standby", can_serve=False)), False),
    (wait("node_state", state="challenging|starting"), ("node2",), GONE, True),
    (wait("paths_complete"), ("node1", "node2"), HEALTHY, True),
    (wait("paths_complete"), ("node1",), pair(node("owner", registered=1), node("standby")), False),
    (wait("paths_complete"), ("node2",), pair(node("owner"), node("standby", paths=1)), False),
    (wait("paths_complete"), ("node2",), pair(node("owner"), node("standby", error="no answer")), False),
    (wait("seconds", seconds=5), (), Seen(waited_seconds=4.9), False),
    (wait("seconds", seconds=5), (), Seen(waited_seconds=5.0), True),
    (wait("clients_served", seconds=3), (), Seen(probe={"waits": {"w1": 0.1}}, calm_seconds=3.5, waited_seconds=3.5), True),
    # A database that hangs: served a moment ago, no error yet. What was before the wait proves nothing.
    (wait("clients_served", seconds=3), (), Seen(probe={"waits": {"w1": 0.1}}, calm_seconds=20.0, waited_seconds=1.0), False),
    (wait("clients_served", seconds=3), (), Seen(probe={"waits": {"w1": 2.0}}, calm_seconds=3.5, waited_seconds=3.5), False),
    (wait("clients_served", seconds=3), (), Seen(probe={"waits": {"w1": 0.1}}, calm_seconds=1.0, waited_seconds=3.5), False),
    (wait("clients_served", seconds=3), (), Seen(probe={}, calm_seconds=9.0, waited_seconds=9.0), False),
    (wait("clients_served"), (), Seen(probe={"waits": {"w1": 0.1}, "broken": "w1: bug"}, calm_seconds=9.0), False),
    (wait("fault_healed", fault="f"), (), Seen(fault_active=False), True),
    (wait("fault_healed", fault="f"), (), Seen(fault_active=True), False),
    (wait("fault_healed", fault="f"), (), Seen(fault_active=None), False),
]


@pytest.mark.parametrize(("step", "targets", "seen", "expected"), CASES)
def test_conditions(step: WaitStep, targets: tuple[str, ...], seen: Seen, expected: bool) -> None:
    good, words = fulfilled(step, "erp", targets, seen)
    assert good is expected and words


def test_the_array_needs_no_agent_to_be_up() -> None:
    seen = Seen({"san1": NodeSeen(True, None, {"state": {}})})
    assert fulfilled(wait("node_up"), "erp", ("san1",), seen)[0]


def test_every_wait_of_the_schema_has_its_condition_and_its_test() -> None:
    assert set(CONDITIONS) == set(WAITS) == {case[0].what for case in CASES}
