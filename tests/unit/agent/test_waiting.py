"""The agent's one wait, on a made-up clock."""

from __future__ import annotations

from operator import not_

import pytest
from holdfast_agent import waiting
from holdfast_agent.waiting import wait_for


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(waiting, "time", made)
    return made


def test_first_true_answer_ends_the_wait(clock: Clock) -> None:
    answers = iter(["", "", "ready", "later"])
    assert wait_for(lambda: next(answers), 110.0, 0.5) == "ready"
    assert clock.sleeps == [0.5, 0.5]


def test_last_answer_is_returned_when_time_is_over(clock: Clock) -> None:
    answers = iter(range(10, 0, -1))
    assert wait_for(lambda: next(answers), 101.0, 0.5, not_) == 8
    assert clock.now == 101.0


def test_a_deadline_that_is_over_still_learns_how_things_are(clock: Clock) -> None:
    assert wait_for(lambda: "ready", 1.0, 0.5) == "ready"
    assert wait_for(lambda: "", 1.0, 0.5) == ""
    assert clock.sleeps == []


def test_what_the_question_raises_ends_the_wait(clock: Clock) -> None:
    def question() -> bool:
        raise ValueError("ended")

    with pytest.raises(ValueError, match="ended"):
        wait_for(question, 110.0, 0.5)
    assert clock.sleeps == []
