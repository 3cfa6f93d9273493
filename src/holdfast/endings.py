"""A program that is told to end, by a closed terminal or a cancelled CI job, tidies up as it does after Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDINGS = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def endings_as_interrupts() -> Iterator[list[int]]:
    """Inside, the first of these signals is a KeyboardInterrupt and its number is in the list; later ones are ignored.

    One that is ignored already stays so: under nohup a closed terminal ends nothing.
    """
    heard: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        heard.append(number)
        if len(heard) == 1:           # by a handler, not by SIG_IGN: that would be handed on to what the tidying starts
            raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in ENDINGS}
    for number, handler in before.items():
        if handler is signal.SIG_DFL:
            signal.signal(number, interrupt)
    try:
        yield heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
