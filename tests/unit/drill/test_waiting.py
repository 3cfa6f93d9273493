"""A wait of a drill: what it returns, and when it ends."""

from __future__ import annotations

import pytest

from holdfast.drill import waiting


class Clock:
    """Time goes on only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(waiting, "time", made)
    return made


def test_it_ends_as_soon_as_nothing_is_missing(clock: Clock) -> None:
    answers = iter(["node2", "node2", None])
    assert waiting.still_missing(lambda waited: next(answers), 60.0) is None
    assert clock.now - 100.0 == pytest.approx(2 * waiting.POLL_SECONDS)


def test_the_last_answer_is_returned_when_the_time_is_over(clock: Clock) -> None:
    assert waiting.still_missing(lambda waited: f"node2, after {waited:.0f} s", 5.0) == "node2, after 5 s"
    assert 5.0 < clock.now - 100.0 < 5.0 + 2 * waiting.POLL_SECONDS


def test_an_answer_without_words_is_no_success() -> None:
    assert waiting.still_missing(lambda waited: "", 1.0) == ""


def test_what_takes_longer_than_the_limit_is_asked_once(clock: Clock) -> None:
    asked = []

    def slow(waited: float) -> str:
        asked.append(waited)
        clock.sleep(3.0)
        return "slow"

    assert waiting.still_missing(slow, 1.0) == "slow"
    assert asked == [0.0]
