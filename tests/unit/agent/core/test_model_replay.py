"""Code and formal model are held together: traces of the model make the state machine decide the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from holdfast_agent.core import machine, rounds, working
from holdfast_agent.core.state import Repair

from tests.unit.agent.core.regenerate_traces import RUNS, TRACES, record_trace
from tests.unit.agent.core.replay import Disagreement, replay_lines

FRESH_SEEDS = (11, 12)
"""A first glance; many more: replay_seeds.py."""


@pytest.mark.parametrize("trace", sorted(TRACES.glob("*.txt")), ids=lambda path: path.stem)
def test_recorded_trace(trace: Path) -> None:
    lines = trace.read_text().splitlines()
    assert replay_lines(lines).compared == sum(line.startswith("STEP") for line in lines)


def test_traces_reach_the_rules() -> None:
    """The recorded traces together contain every kind of step that decides something."""
    seen = {line.split()[2] for path in TRACES.glob("*.txt") for line in path.read_text().splitlines()}
    wanted = "strike_ok strike_conflict reserve_ok doubt sweep_ok defend_ok defend_conflict suspend resume killed verify "
    wanted += "release_data keep_data give_up believe let_go proven no_answer adopt"
    assert {f"t_{kind}" for kind in wanted.split()} <= seen


@pytest.mark.skipif(shutil.which("spin") is None, reason="spin is not installed: fresh traces cannot be made")
@pytest.mark.parametrize("seed", FRESH_SEEDS)
@pytest.mark.parametrize("run", RUNS)
def test_fresh_trace(run: str, seed: int) -> None:
    replay_lines(record_trace(RUNS[run], seed))


@pytest.mark.parametrize(("old", "new"), [("t_strike_ok", "t_strike_conflict"), ("t_defend_ok", "t_killed")])
def test_a_changed_trace_is_refused(old: str, new: str) -> None:
    """The replay bites: the same trace with one other decision does not pass."""
    traces = (path.read_text() for path in sorted(TRACES.glob("*.txt")))
    lines = next(text for text in traces if old in text).splitlines()
    index = next(i for i, line in enumerate(lines) if old in line)
    lines[index] = lines[index].replace(old, new)
    with pytest.raises(Disagreement):
        replay_lines(lines)


def waits_for_ever(patch: pytest.MonkeyPatch) -> None:
    """An agent that comes back without storage."""
    patch.setattr(machine, "_LOOKED_AFTER", ())


def leaves_maps_suspended(patch: pytest.MonkeyPatch) -> None:
    def attached(turn: Any, note: Any) -> None:
        original(turn, note)
        turn.set(repair=Repair.NONE, suspended=False)

    original = machine.attached
    patch.setattr(machine, "attached", attached)


def stops_nothing_after_a_stall(patch: pytest.MonkeyPatch) -> None:
    original = working.drive_work
    patch.setattr(working, "drive_work", lambda turn: None if turn.s.stalled else original(turn))


@pytest.mark.parametrize(
    ("step", "mutate"),
    [
        ("t_believe", lambda patch: patch.setattr(rounds, "_successor", lambda turn: None)),
        ("t_let_go", lambda patch: patch.setattr(rounds, "may_be_replaced", lambda turn: False)),
        ("t_give_up", waits_for_ever),
        ("t_adopt", leaves_maps_suspended),
        ("t_adopt", stops_nothing_after_a_stall),
    ],
    ids=["believes nobody", "keeps the address", "waits for ever", "leaves maps suspended", "stops nothing after a stall"],
)
def test_code_without_a_guard_disagrees(
    step: str, mutate: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The replay bites: the same traces, and one guard removed from the code."""
    traces = [path.read_text().splitlines() for path in sorted(TRACES.glob("*.txt"))]
    reached = [lines for lines in traces if any(step in line for line in lines)]
    mutate(monkeypatch)
    with pytest.raises(Disagreement):
        for lines in reached:
            replay_lines(lines)
