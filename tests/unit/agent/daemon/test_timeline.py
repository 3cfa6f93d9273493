"""Where the time of a takeover went."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from holdfast_agent.core.machine import initial_state
from holdfast_agent.core.state import (
    Challenge,
    Evidence,
    MachineState,
    PackageConfig,
    Peer,
    State,
    Step,
    Work,
)
from holdfast_agent.core.timers import build_timers
from holdfast_agent.daemon.timeline import TakeoverTimeline

CONFIG = PackageConfig("erp", "node2", (("node1", 1), ("node2", 2)), 7, ("postgresql",), build_timers("fast"))
CHALLENGE = Challenge(Evidence.SILENT, ("x",), 5, "node1")


def at(moment: float, state: State, step: Step, *plan: str, challenge: Challenge | None = None) -> MachineState:
    return replace(
        initial_state(CONFIG, 0.0), now=moment, state=state, step=step, plan=tuple(Work(kind) for kind in plan),
        challenge=challenge, peers=(Peer("node1", 9.4, heard_ever=True),),
    )  # fmt: skip


def follow(timeline: TakeoverTimeline, *states: MachineState) -> None:
    for before, after in pairwise(states):
        timeline.follow(before, after)


def test_phases_of_a_takeover() -> None:
    timeline = TakeoverTimeline()
    follow(
        timeline,
        at(10.0, State.STANDBY, Step.IDLE),
        at(10.0, State.CHALLENGING, Step.REGISTER, challenge=CHALLENGE),
        at(10.9, State.STARTING, Step.REGISTER_DATA),
        at(11.0, State.STARTING, Step.RUN, "activate", "start"),
        at(11.3, State.STARTING, Step.RUN, "start"),
        at(11.8, State.OWNER, Step.RUN),
    )
    timeline.address_allowed(11.4)
    timeline.address_up(11.5)
    taken = timeline.finish(11.8)
    assert taken == {
        "cause": "silent on every network",
        "phases": {"detect": 0.6, "arbitrate": 0.9, "preempt": 0.1, "activate": 0.3, "database": 0.5, "address": 0.1},
        "total_seconds": 2.4,
    }
    assert timeline.last == taken
    assert timeline.finish(12.0) is None


def test_a_lost_challenge_is_no_takeover() -> None:
    timeline = TakeoverTimeline()
    begun = at(10.0, State.CHALLENGING, Step.REGISTER, challenge=CHALLENGE)
    follow(timeline, at(10.0, State.STANDBY, Step.IDLE), begun, at(11.0, State.STANDBY, Step.IDLE))
    assert timeline.finish(12.0) is None


def test_a_package_that_was_found_running_is_no_takeover() -> None:
    timeline = TakeoverTimeline()
    follow(
        timeline,
        at(10.0, State.STANDBY, Step.IDLE),
        at(10.1, State.STARTING, Step.ADOPT),
        at(10.2, State.STARTING, Step.RUN, "start"),
        at(10.3, State.OWNER, Step.RUN),
    )
    assert timeline.finish(10.3) is None
