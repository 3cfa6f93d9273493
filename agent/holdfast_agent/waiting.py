"""The one wait of the agent's children and poolers: a question asked again and again, until a point on the monotonic clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def wait_for(
    question: Callable[[], Answer],
    deadline: float,
    interval_seconds: float,
    is_final: Callable[[Answer], bool] = bool,
) -> Answer:
    """Ask until the answer is final or the deadline (monotonic seconds) has passed; returns the last answer.

    Asked at least once, so that a deadline that is over already still learns how things are. What the question raises
    ends the wait.
    """
    answer = question()
    while not is_final(answer) and time.monotonic() < deadline:
        time.sleep(interval_seconds)
        answer = question()
    return answer
