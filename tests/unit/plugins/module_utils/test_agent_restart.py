"""An agent is restarted when asked for, or when it is older than what it should have read; and only once."""

from __future__ import annotations

import os

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils import agent_restart
from ansible_collections.holdfast.cluster.plugins.module_utils.agent_restart import AgentRestart, is_stale, newest_input

from .support import described


@pytest.mark.parametrize(
    ("wanted", "served", "stale", "restarts"),
    [
        (False, [], False, 0),
        (True, ["erp"], False, 1),
        (False, ["erp"], True, 1),
        (True, None, False, 0),
        (False, None, True, 0),
    ],
)
def test_restart(wanted, served, stale, restarts):
    plan = AgentRestart(wanted).plan({"served": served, "stale": stale})
    assert described(plan) == ["restart holdfast-agent.service"] * restarts


def test_newest_input_counts_a_link_by_itself(tmp_path):
    (tmp_path / "old").touch()
    os.utime(tmp_path / "old", (1000, 1000))
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "old")
    os.utime(link, (2000, 2000), follow_symlinks=False)
    pattern = str(tmp_path).lstrip("/")
    assert newest_input([f"{pattern}/old"]) == 1000
    assert newest_input([f"{pattern}/old", f"{pattern}/li*"]) == 2000
    assert newest_input([f"{pattern}/nothing"]) == 0


@pytest.mark.parametrize(("age_of_input", "stale"), [(60, True), (200, False)])
def test_an_agent_older_than_its_newest_input_is_stale(age_of_input, stale, monkeypatch):
    monkeypatch.setattr(agent_restart, "newest_input", lambda: 1000 - age_of_input)
    monkeypatch.setattr(agent_restart.time, "time", lambda: 1000)
    assert is_stale({"agent": {"uptime_seconds": 100}}) is stale


def test_an_agent_that_does_not_answer_is_not_stale():
    assert is_stale(None) is False
