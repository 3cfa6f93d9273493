"""A program that is told to end, by a closed terminal or a cancelled CI job, tidies up as it does after Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
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


@contextmanager
def endings_held() -> Iterator[list[int]]:
    """Inside, Ctrl-C and the endings only go into the list; afterwards the first one has the effect that it would have had.

    For work that has to be brought to an end of its own before anything else happens. Signals reach the main thread alone:
    in another one this does nothing.
    """
    held: list[int] = []
    if current_thread() is not main_thread():
        yield held
        return
    before = {number: signal.signal(number, lambda heard, _frame: held.append(heard)) for number in (signal.SIGINT, *ENDINGS)
              if signal.getsignal(number) is not signal.SIG_IGN}  # fmt: skip
    try:
        yield held
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for first in held[:1]:
            signal.raise_signal(first)
