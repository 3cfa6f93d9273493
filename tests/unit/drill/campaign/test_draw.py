"""What a seed decides, and that it decides everything."""

from __future__ import annotations

from itertools import islice

import pytest

from holdfast.drill.campaign.draw import (
    Entry,
    Round,
    between,
    choose,
    compatible,
    count_faults,
    draw_rounds,
    first_rounds,
    load_entries,
)
from holdfast.drill.runbook.faults import load_fault_kinds
from tests.unit.drill.scripts import catalogue

RUNBOOKS = catalogue().runbooks


def rounds(seed: int, count: int) -> list[Round]:
    return list(islice(draw_rounds(seed, load_entries(), RUNBOOKS), count))


def test_the_same_seed_gives_the_same_campaign() -> None:
    assert rounds(7, 300) == rounds(7, 300)
    assert rounds(7, 30) != rounds(8, 30)


def test_a_longer_campaign_begins_like_a_shorter_one() -> None:
    assert rounds(7, 40)[:10] == rounds(7, 10)


def test_the_first_rounds_of_a_seed_are_the_same_in_every_version() -> None:
    """A change of the table or of the drawing makes old seeds worthless: it has to be seen here."""
    assert [(r.name, r.hold_seconds) for r in rounds(1, 3)] == [
        ("owner_shutdown", 13.5), ("keepalived_killed", 4.1), ("owner_power_cut", 3.3)]  # fmt: skip


def test_enough_rounds_for_the_faults_asked_for() -> None:
    found = first_rounds(draw_rounds(1, load_entries(), RUNBOOKS), 200)
    assert sum(r.faults for r in found) >= 200 > sum(r.faults for r in found[:-1])


def test_every_entry_is_a_runbook_and_is_drawn_sooner_or_later() -> None:
    drawn = {draw.runbook for entry in rounds(3, 4000) for draw in entry.draws}
    assert drawn == {entry.runbook for entry in load_entries()}


def test_some_rounds_have_two_draws_and_none_collide() -> None:
    pairs = [entry for entry in rounds(5, 1000) if len(entry.draws) > 1]
    assert 150 < len(pairs) < 300
    for entry in pairs:
        first, second = (RUNBOOKS[draw.runbook] for draw in entry.draws)
        assert compatible(first, second)


def test_a_planned_move_begins_before_the_fault_that_hits_it() -> None:
    moves = [entry for entry in rounds(5, 2000) if "switchover" in entry.name]
    assert moves
    assert all(e.draws[0].runbook == "switchover" and len(e.draws) == 2 and e.draws[1].delay_seconds < 2 for e in moves)


@pytest.mark.parametrize(("a", "b", "good"), [
    ("owner_crash", "standby_crash", True),
    ("owner_crash", "owner_frozen", False),
    ("owner_crash", "agent_killed", False),
    ("standby_crash", "agent_killed", True),
    ("heartbeat_cut", "path_cut", False),
    ("heartbeat_cut", "agent_killed", True),
    ("agent_killed", "agent_frozen", True),
    ("path_cut", "path_cut", False),
])
def test_what_may_be_active_together(a: str, b: str, good: bool) -> None:
    assert compatible(RUNBOOKS[a], RUNBOOKS[b]) is good
    assert compatible(RUNBOOKS[b], RUNBOOKS[a]) is good


def test_faults_are_counted_by_their_steps() -> None:
    assert [count_faults(RUNBOOKS[n]) for n in ("switchover", "owner_crash", "database_broken")] == [0, 1, 2]


def test_a_fault_is_not_undone_by_its_timer_before_it_is_let_go() -> None:
    """The timer starts at the injection; injection and proof of a partner may take half a minute."""
    longest = max(entry.hold_seconds[1] for entry in load_entries())
    for entry in load_entries():
        for fault in RUNBOOKS[entry.runbook].faults:
            if not load_fault_kinds()[fault.kind].takes_node_down:
                assert fault.ttl_seconds >= entry.hold_seconds[1] + 30, entry.runbook
    assert longest <= 60


class Fixed:
    """A source of chosen numbers."""

    def __init__(self, *numbers: float) -> None:
        self.numbers = list(numbers)

    def random(self) -> float:
        return self.numbers.pop(0)


@pytest.mark.parametrize(("number", "chosen"), [(0.0, "a"), (0.24, "a"), (0.26, "b"), (0.999, "b")])
def test_weights(number: float, chosen: str) -> None:
    assert choose(Fixed(number), [Entry("a", 1), Entry("b", 3)]).runbook == chosen  # type: ignore[arg-type]


def test_times_are_in_tenths() -> None:
    assert between(Fixed(0.123), (0.0, 10.0)) == 1.2  # type: ignore[arg-type]
