"""When an agent first feeds the watchdog."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from holdfast_agent.core.timers import FAST
from holdfast_agent.daemon import node_agent
from holdfast_agent.daemon.loop import Loop
from holdfast_agent.daemon.node_agent import NodeAgent
from holdfast_agent.daemon.package_agent import Vouching


def first_feeding(inherited: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> float:
    """Seconds from the start of an agent without packages to its first feeding."""
    monkeypatch.setattr(node_agent, "STARTED_MARK", tmp_path / "started")
    loop, fed = Loop(), []

    def feed() -> None:
        fed.append(loop.now)
        loop.stop()

    agent: Any = NodeAgent.__new__(NodeAgent)
    agent._ports = SimpleNamespace(loop=loop, log=SimpleNamespace(write=lambda event, **fields: None))
    agent._timers, agent._watchdog = FAST, SimpleNamespace(inherited=inherited, feed=feed)
    agent._key, agent.packages, agent._vouching, agent._fed = 7, {}, Vouching(lambda: None), True
    agent._probe_network = lambda: None
    begun = loop.now
    agent.start()
    if not fed:
        loop.run()
    return fed[0] - begun


def test_an_agent_that_armed_the_watchdog_feeds_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert first_feeding(inherited=False, monkeypatch=monkeypatch, tmp_path=tmp_path) < FAST.feed


def test_an_agent_that_inherited_it_lives_for_an_interval_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One that is killed every second never gets there, and the watchdog ends the loop."""
    assert first_feeding(inherited=True, monkeypatch=monkeypatch, tmp_path=tmp_path) >= FAST.feed
