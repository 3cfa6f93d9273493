"""Truth table: observed state and wanted state give one command or none."""

from __future__ import annotations

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils.errors import ParseError, RefusedError
from ansible_collections.holdfast.cluster.plugins.module_utils.package_control import (
    PackageResource,
    parse_status,
    plan_command,
)

#: state, owner, wanted, target, command
TABLE = [
    ("owner", "node1", "started", None, None),
    ("stopped", None, "started", None, "start"),
    ("standby", None, "started", None, "start"),
    ("owner", "node1", "stopped", None, "stop"),
    ("stopped", None, "stopped", None, None),
    ("failed", None, "stopped", None, None),
    ("standby", None, "stopped", None, None),
    ("starting", None, "stopped", None, "stop"),
    ("owner", "node1", "moved", "node2", "move"),
    ("owner", "node2", "moved", "node2", None),
    ("owner", "node1", "maintenance", None, "maintenance on"),
    ("maintenance", "node1", "maintenance", None, None),
    ("maintenance", "node1", "in_service", None, "maintenance off"),
    ("owner", "node1", "in_service", None, None),
    ("ejected", "node2", "rejoined", None, "rejoin"),
    ("standby", "node2", "rejoined", None, None),
]


@pytest.mark.parametrize(("state", "owner", "wanted", "target", "command"), TABLE)
def test_command(state, owner, wanted, target, command):
    assert plan_command({"state": state, "owner": owner}, wanted, target) == command


@pytest.mark.parametrize(
    ("attached", "wanted", "command"),
    [(True, "detached", "detach"), (False, "detached", None), (False, "attached", "attach"), (True, "attached", None)],
)
def test_detach_and_attach(attached, wanted, command):
    assert plan_command({"state": "owner", "owner": "node1", "attached": attached}, wanted) == command


@pytest.mark.parametrize(("failures", "command"), [(2, "forget-failures"), (0, None)])
def test_failures_are_forgotten_only_where_there_are_some(failures, command):
    assert plan_command({"state": "failed", "owner": None, "failures": failures}, "failures_forgotten") == command


@pytest.mark.parametrize("text", ["", "no", "[]", '{"schema": 2, "packages": {}}', '{"schema": 1}'])
def test_answer_of_another_shape_is_an_error(text):
    with pytest.raises(ParseError):
        parse_status(text)


OWNED = {"state": "owner", "owner": "node1", "node": "node1"}


@pytest.mark.parametrize("preview", [None, {"refusal": None}])
def test_a_move_that_nothing_speaks_against_is_planned(preview):
    plan = PackageResource("erp", "moved", "node2").plan({**OWNED, "preview": preview})
    assert [action.describe() for action in plan] == ["move erp (node=node2)"]


def test_a_move_that_would_be_refused_fails_before_anything_is_done():
    with pytest.raises(RefusedError, match="erp would not move to node2: node2 is silent"):
        PackageResource("erp", "moved", "node2").plan({**OWNED, "preview": {"refusal": "node2 is silent"}})


def test_a_move_hands_its_limits_on_and_no_other_command_does():
    words = {"without_poolers": True, "longest_transaction_seconds": 30.0, "wait_seconds": 600.0}
    moved = PackageResource("erp", "moved", "node2", control="ctl", **words)
    (action,) = moved.plan(OWNED)
    limits = ["--without-poolers", "--longest-transaction", "30", "--wait", "600"]
    assert moved._argv(action) == ["ctl", "move", "erp", "node2", *limits, "--json"]
    stopped = PackageResource("erp", "stopped", control="ctl", **words)
    (action,) = stopped.plan(OWNED)
    assert stopped._argv(action) == ["ctl", "stop", "erp", "--json"]


def test_a_partial_start_names_its_step():
    resource = PackageResource("erp", "started", up_to="mount", control="ctl")
    (action,) = resource.plan({"state": "stopped", "owner": None})
    assert resource._argv(action) == ["ctl", "start", "erp", "--up-to", "mount", "--json"]
