"""How tests on real nodes wait: a question that cannot be answered yet counts as no."""

from __future__ import annotations

from collections.abc import Callable

from holdfast.drill.errors import DrillError
from holdfast.lab.errors import LabError
from holdfast.lab.wait import wait_for

# An agent that is just starting does not answer, or not with everything; the limit of the wait still holds.
NOT_YET = (AssertionError, DrillError, LabError, KeyError, ValueError)


def wait_until(what: str, question: Callable[[], bool], seconds: float) -> None:
    """Ask until the answer is yes; LabError with what was seen last when the time is over."""

    def answered() -> bool | None:
        try:
            return question() or None
        except NOT_YET as error:
            raise LabError(f"{type(error).__name__}: {error}") from error

    wait_for(what, answered, timeout_seconds=seconds, interval_seconds=0.5)
