"""The agent is started after its documents were written, and only where it does not run."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils import unit_set
from ansible_collections.holdfast.cluster.plugins.modules.package_definition import build_parts

UNIT = "Id=holdfast-agent.service\nLoadState={}\nUnitFileState={}\nActiveState={}\nNeedDaemonReload=no\n"
PARAMETERS = {"node": {"name": "node1"}, "packages": []}


@pytest.mark.parametrize(
    ("load", "file", "active", "check_mode", "wanted"),
    [
        ("loaded", "disabled", "inactive", False, ["enable", "start"]),
        ("loaded", "enabled", "active", False, []),
        ("not-found", "", "inactive", True, ["enable", "start"]),
    ],
)
def test_agent(load: str, file: str, active: str, check_mode: bool, wanted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def show(_argv: list[str], **_options: Any) -> str:
        return UNIT.format(load, file, active)

    monkeypatch.setattr(unit_set, "run", show)
    parts = build_parts(PARAMETERS, check_mode)
    assert list(parts) == ["documents", "agent"]
    agent = parts["agent"]
    assert [action.verb for action in agent.plan(agent.read())] == wanted
