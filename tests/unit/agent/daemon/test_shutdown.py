"""The watchdog at the agent's orderly end: disarmed only where nothing is left that needs somebody to stop it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from holdfast_agent.children.messages import JobEnd
from holdfast_agent.core.machine import initial_state
from holdfast_agent.core.state import MachineState, PackageConfig, State
from holdfast_agent.core.timers import FAST
from holdfast_agent.daemon import shutdown
from holdfast_agent.daemon.loop import Loop
from holdfast_agent.daemon.node_agent import NodeAgent
from holdfast_agent.daemon.package_agent import PackageAgent
from holdfast_agent.daemon.shutdown import Shutdown

CONFIG = PackageConfig("erp", "node1", (("node1", 1), ("node2", 2)), 7, ("postgresql",), FAST)
RESTS = replace(initial_state(CONFIG, 1000.0), booted=True)


def ends_disarmed(state: MachineState, monkeypatch: pytest.MonkeyPatch, machine_goes_down: bool) -> bool:
    """Play the end of an agent whose one package is in this state; an owner's command is refused."""
    monkeypatch.setattr(shutdown, "_LAST_WORDS_SECONDS", 0.0)
    loop, disarmed = Loop(), []
    log: Any = SimpleNamespace(write=lambda event, **fields: None)
    package: Any = PackageAgent.__new__(PackageAgent)
    package.state, package.package = state, SimpleNamespace(name="erp")
    agent: Any = NodeAgent.__new__(NodeAgent)
    agent.packages, agent._ports = {"erp": package}, SimpleNamespace(log=log)
    agent._watchdog = SimpleNamespace(disarm=lambda: disarmed.append(True))
    agent.command = lambda agent, verb, answered: answered(False, "busy")
    Shutdown(loop, log, agent)._begin(JobEnd(1, machine_goes_down))
    loop.run()
    return bool(disarmed)


@pytest.mark.parametrize(
    ("state", "agent_ends", "machine_goes_down"),
    [
        (RESTS, True, True),
        (replace(RESTS, state=State.CHALLENGING), True, True),
        (replace(RESTS, state=State.DETACHED, active=True), True, True),
        (replace(RESTS, state=State.MAINTENANCE, active=True), True, True),
        (replace(RESTS, state=State.OWNER, active=True), False, True),
        (replace(RESTS, state=State.STARTING, active=True), False, True),
        (replace(RESTS, state=State.STOPPING, active=True), False, True),
        (replace(RESTS, state=State.EJECTED, active=True, tripped=True), False, False),
        (replace(RESTS, state=State.EJECTED), True, True),
        (replace(RESTS, booted=False), False, True),
    ],
)
def test_the_watchdog_is_disarmed_only_where_nothing_needs_it(
    monkeypatch: pytest.MonkeyPatch, state: MachineState, agent_ends: bool, machine_goes_down: bool
) -> None:
    assert ends_disarmed(state, monkeypatch, machine_goes_down=False) is agent_ends
    assert ends_disarmed(state, monkeypatch, machine_goes_down=True) is machine_goes_down
