"""What one agent leaves for the next: when ownership was last proven, and whether the address may stay until it is again."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from holdfast_agent.core import actions as act
from holdfast_agent.core.events import Boot
from holdfast_agent.core.machine import initial_state, step
from holdfast_agent.core.state import MachineState, PackageConfig, State
from holdfast_agent.core.timers import FAST
from holdfast_agent.daemon import package_agent
from holdfast_agent.daemon.package_agent import PackageAgent

NOW = 1000.0
STATE = initial_state(PackageConfig("erp", "node1", (("node1", 1), ("node2", 2)), 7, ("postgresql",), FAST), NOW)


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """The folder of the marks."""
    kept: dict[str, float] = {}
    monkeypatch.setattr(package_agent, "mark_verified", kept.__setitem__)
    monkeypatch.setattr(package_agent, "forget_verified", lambda name: kept.pop(name, None))
    monkeypatch.setattr(package_agent, "read_verified", kept.get)
    return kept


@pytest.fixture
def agent() -> PackageAgent:
    made: Any = PackageAgent.__new__(PackageAgent)
    made.package, made.state = SimpleNamespace(name="erp"), STATE
    made._ports = SimpleNamespace(loop=SimpleNamespace(now=NOW), log=SimpleNamespace(write=lambda event, **fields: None))
    return made  # type: ignore[no-any-return]


def takes_the_address_away(proven_at: float | None) -> bool:
    _, actions = step(STATE, Boot(active=True, fresh=False, proven_at=proven_at), NOW)
    return any(isinstance(action, act.LowerAddress) for action in actions)


@pytest.mark.parametrize(("seconds", "replaced"), [(0.5, False), (FAST.slow_limit, False), (FAST.slow_limit + 0.1, True)])
def test_an_agent_that_comes_back_late_takes_the_address_for_lost(seconds: float, replaced: bool) -> None:
    assert takes_the_address_away(NOW - seconds) is replaced


def test_without_a_mark_there_is_nothing_to_go_by() -> None:
    assert not takes_the_address_away(None)


@pytest.mark.parametrize("proven", [None, NOW - 0.5])
def test_the_next_agent_counts_from_the_proof_of_the_one_before(
    agent: PackageAgent, marks: dict[str, float], proven: float | None
) -> None:
    if proven is not None:
        marks["erp"] = proven
    told: list[Boot] = []
    found = SimpleNamespace(ok=True, value=("mounted",), error_text="")
    made: Any = agent
    made._work = SimpleNamespace(inspect=lambda deadline, answer: answer(found), prepare=lambda: None)
    made.send = told.append
    agent.boot(fresh=False)
    assert told == [Boot(active=True, fresh=False, proven_at=proven)]


def test_a_mark_is_each_proof_of_an_owner_and_goes_with_the_ownership(agent: PackageAgent, marks: dict[str, float]) -> None:
    def become(before: MachineState, **changes: Any) -> MachineState:
        agent.state = replace(before, **changes)
        agent._mark_proof(before)
        return agent.state

    owner = become(STATE, state=State.OWNER, active=True, verified_at=NOW)
    assert marks == {"erp": NOW}
    owner = become(owner, verified_at=NOW + 0.25)
    assert marks == {"erp": NOW + 0.25}
    ejected = become(owner, state=State.EJECTED)
    assert marks == {"erp": NOW + 0.25}, "an agent that dies here leaves a package that somebody else may have"
    become(ejected, active=False)
    assert marks == {}, "nothing runs any more"
    owner = become(STATE, state=State.OWNER, active=True, verified_at=NOW + 1.0)
    become(owner, state=State.DETACHED)
    assert marks == {}, "others stand off: no age of a proof may take the address away"
