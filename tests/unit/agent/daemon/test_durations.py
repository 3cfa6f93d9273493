"""How long the steps of a start or stop took, and what a preview makes of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from holdfast_agent.core import actions as act
from holdfast_agent.core.machine import initial_state
from holdfast_agent.core.state import MachineState, PackageConfig, State, Step, Work, WorkPending
from holdfast_agent.core.timers import FAST
from holdfast_agent.daemon.durations import StepDurations, preview_answer

CONFIG = PackageConfig("erp", "node1", (("node1", 1), ("node2", 2)), 7, ("db",), FAST)
STOP, UNMOUNT = Work("stop", "db"), Work("deactivate")


def at(moment: float, step: Step, plan: tuple[Work, ...] = (), work: act.WorkCommand | None = None) -> MachineState:
    pending = WorkPending(work) if work is not None else None
    return replace(initial_state(CONFIG, 0.0), now=moment, state=State.STOPPING, step=step, plan=plan, work=pending)


def follow(*states: MachineState) -> dict[str, float]:
    durations = StepDurations()
    for before, after in pairwise(states):
        durations.follow(before, after)
    return {what: round(seconds, 3) for what, seconds in durations.last.items()}


def test_each_step_of_a_stop_is_timed() -> None:
    assert follow(
        at(1.0, Step.RUN, (STOP, UNMOUNT)),
        at(1.1, Step.RUN, (STOP, UNMOUNT), act.StopResource(1, 9.0, "db")),
        at(1.6, Step.RUN, (UNMOUNT,), act.Deactivate(2, 9.0)),
        at(1.8, Step.RELEASE_NOTE),
        at(1.9, Step.RELEASE_LOCK),
        at(2.1, Step.IDLE),
    ) == {"stop db": 0.5, "unmount": 0.2, "release": 0.3}


def test_a_step_that_failed_is_not_a_measurement() -> None:
    asked = at(1.1, Step.RUN, (STOP, UNMOUNT), act.StopResource(1, 9.0, "db"))
    assert follow(at(1.0, Step.RUN, (STOP, UNMOUNT)), asked, at(1.6, Step.RUN, (Work("kill"),))) == {}


def test_the_answer_of_a_preview_carries_the_reason_and_what_was_measured() -> None:
    state = replace(at(5.0, Step.RUN), state=State.OWNER)
    answer = preview_answer(state, 5.0, "node2", {"unmount": 0.25})
    assert not answer["ok"] and answer["reason"] == "node2 is silent"
    seconds = {step["what"]: step["last_seconds"] for step in answer["preview"]["steps"]}
    assert seconds == {"stop db": None, "unmount": 0.25, "release": None, "claim": None, "mount": None,
                       "address": None, "start db": None}  # fmt: skip
