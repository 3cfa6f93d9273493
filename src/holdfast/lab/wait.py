"""The one way in which the controller waits."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

from holdfast.lab.errors import LabError, UsageError

T = TypeVar("T")


class WaitTimeout(LabError):
    """What was waited for did not come in time; the message says what was seen last."""


def slowness() -> float:
    """Factor for all waiting limits on slow machines, from HOLDFAST_SLOWNESS (default 1)."""
    text = os.environ.get("HOLDFAST_SLOWNESS", "1")
    try:
        return max(1.0, float(text))
    except ValueError as error:
        raise UsageError(f"HOLDFAST_SLOWNESS is '{text}'; it must be a number") from error


def wait_for(what: str, probe: Callable[[], T | None], *, timeout_seconds: float, interval_seconds: float = 0.1,
                stop: Callable[[], str | None] = lambda: None) -> T:
    """Call `probe` until it returns something other than None, and return that.

    `stop` gives a reason to end early (a final state from which success can't come any more).
    A LabError of the probe counts as "not yet" and is shown when the time is over.
    """
    limit = timeout_seconds * slowness()
    deadline = time.monotonic() + limit
    last = "nothing was seen"
    while True:
        try:
            if (found := probe()) is not None:
                return found
        except LabError as error:
            last = str(error)
        if reason := stop():
            raise WaitTimeout(f"{what}: {reason}")
        if time.monotonic() >= deadline:
            raise WaitTimeout(f"{what}: not within {limit:.0f} s ({last})")
        time.sleep(interval_seconds)
