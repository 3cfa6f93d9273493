"""Code and formal model are held together: traces of the model make the state machine decide the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

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
    wanted += "release_data keep_data"
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
