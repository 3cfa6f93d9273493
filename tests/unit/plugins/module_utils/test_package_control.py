"""Truth table: observed state and wanted state give one command or none."""

from __future__ import annotations

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils.errors import ParseError
from ansible_collections.holdfast.cluster.plugins.module_utils.package_control import parse_status, plan_command

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
