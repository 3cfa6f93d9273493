"""The one way in which a drill waits. Its limits are what a runbook promises: no factor for slow machines stretches them."""

from __future__ import annotations

import time
from collections.abc import Callable

POLL_SECONDS = 0.2


def still_missing(question: Callable[[float], str | None], limit_seconds: float) -> str | None:
    """Ask what is missing, again and again, until it is None; what still is, in words, when the time is over.

    The question gets the seconds waited so far, and is asked at least once.
    """
    begin = time.monotonic()
    while (words := question(time.monotonic() - begin)) is not None:
        if time.monotonic() - begin > limit_seconds:
            break
        time.sleep(POLL_SECONDS)
    return words
