"""Profiles are possible, impossible sets are refused with every reason, the table fits a terminal."""

from __future__ import annotations

import pytest
from holdfast_agent.core.timers import (
    PROFILES,
    ImpossibleTimers,
    build_timers,
    explain_timers,
    relations,
    timer_problems,
)


@pytest.mark.parametrize("profile", PROFILES)
def test_profiles_are_possible(profile: str) -> None:
    timers = build_timers(profile)
    assert timer_problems(timers) == []
    assert timers.wait >= 2 * timers.defend + timers.command_worst + timers.stall


def test_fast_meets_the_budget_of_a_crash() -> None:
    """Detection and arbitration in 2.1 s at worst, 1.3 s normally, of the 3 s that a client may see."""
    fast = build_timers("fast")
    assert fast.wait == pytest.approx(0.9)
    assert max(fast.silence, fast.suspect + fast.wait) <= 1.3
    assert fast.takeover <= 2.1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"suspect": 0.2}, "one lost datagram"),
        ({"silence": 0.25}, "registers before it may preempt"),
        ({"silence": 5.0}, "detection would add"),
        ({"stall": 0.05}, "look like a stall"),
        ({"path_detect": 3.0}, "one dead path would look like all"),
        ({"vrrp_advert": 0.05}, "an ordinary stall would take the address down"),
        ({"vrrp_advert": 0.5}, "would still answer for the address"),
        ({"watchdog": 3.0}, "a killed agent would cost the node"),
        ({"target_wait": 0.5}, "rolled back while it succeeds"),
        ({"path_wait_alone": 1.0}, "waiting alone"),
        ({"defend": 0.0}, "must be above zero"),
    ],
)
def test_impossible_sets_are_refused(changes: dict[str, float], reason: str) -> None:
    with pytest.raises(ImpossibleTimers, match=reason):
        build_timers("fast", **changes)


def test_all_problems_at_once() -> None:
    with pytest.raises(ImpossibleTimers) as caught:
        build_timers("fast", suspect=0.2, watchdog=3.0)
    assert len(caught.value.problems) >= 2


@pytest.mark.parametrize(("profile", "changes"), [("quick", {}), ("fast", {"speed": 1.0}), ("fast", {"profile": 1.0})])
def test_unknown_names_are_refused(profile: str, changes: dict[str, float]) -> None:
    with pytest.raises((ImpossibleTimers, TypeError)):
        build_timers(profile, **changes)


@pytest.mark.parametrize("profile", PROFILES)
def test_table_fits_80_columns_and_names_every_relation(profile: str) -> None:
    text = explain_timers(PROFILES[profile])
    assert max(map(len, text.splitlines())) <= 80
    assert text.count(" ok\n") == len(relations(PROFILES[profile]))
    assert "IMPOSSIBLE" not in text
