"""One thread per device, so that a device that hangs holds up nothing but itself.

A thread that sits in the kernel cannot be stopped; it is left there. Work for its device waits behind it and is
dropped, never sent, once the moment it was wanted for has passed.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..errors import DeadlineError, HoldfastError, PathFailedError

Value = TypeVar("Value")
# Threads only issue system calls: the default of 8 MiB each would be locked into memory with the rest of the agent.
_STACK_BYTES = 256 * 1024


class ExpiredError(HoldfastError):
    """The command's ``not_after`` had passed before it could be sent, so it was not sent."""


@dataclass(frozen=True)
class _Work(Generic[Value]):
    function: Callable[[], Value]
    deadline: float
    not_after: float
    future: Future[Value]

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        now = time.monotonic()
        try:
            if now > self.deadline:
                raise DeadlineError("the device was busy until the deadline")
            if now > self.not_after:
                raise ExpiredError("too late to send")
            self.future.set_result(self.function())
        except BaseException as error:
            # The waiting side gets it; nothing may end this thread, or the device could never be used again.
            self.future.set_exception(error)


class Lane:
    """The thread of one device."""

    def __init__(self, name: str) -> None:
        self._queue: queue.SimpleQueue[_Work[object]] = queue.SimpleQueue()
        self.busy_since: float | None = None
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    def _serve(self) -> None:
        while True:
            work = self._queue.get()
            self.busy_since = time.monotonic()
            work.run()
            self.busy_since = None

    def submit(self, function: Callable[[], Value], deadline: float, not_after: float = float("inf")) -> Future[Value]:
        """Do something on the device when it is free, unless ``deadline`` or ``not_after`` has passed by then."""
        future: Future[Value] = Future()
        self._queue.put(_Work(function, deadline, not_after, future))  # type: ignore[arg-type]
        return future


class Lanes:
    """The threads of all devices of a child, made on first use."""

    def __init__(self) -> None:
        threading.stack_size(_STACK_BYTES)
        self._lanes: dict[str, Lane] = {}

    def lane(self, device: str) -> Lane:
        """The thread of this device."""
        if device not in self._lanes:
            self._lanes[device] = Lane(device)
        return self._lanes[device]

    def stuck_seconds(self, device: str) -> float:
        """For how long the device has been holding its present command; 0 where it is free."""
        since = self._lanes[device].busy_since if device in self._lanes else None
        return time.monotonic() - since if since is not None else 0.0


def wait_for(future: Future[Value], deadline: float) -> Value:
    """Result of a future; raises DeadlineError where there is none by then."""
    try:
        return future.result(max(0.0, deadline - time.monotonic()))
    except TimeoutError as error:
        future.cancel()
        raise DeadlineError("no answer before the deadline") from error


def first_success(attempts: Iterable[Callable[[], Future[Value]]], deadline: float, hedge_seconds: float) -> Value:
    """Start the attempts one after another until one succeeds.

    The next starts at once when one fails with PathFailedError, and after ``hedge_seconds`` where one is silent. Any
    other error is an answer of the device and ends the search. Raises the last PathFailedError, or DeadlineError.
    """
    waiting: set[Future[Value]] = set()
    failure: HoldfastError = PathFailedError("no path to try")
    remaining = list(attempts)
    try:
        while remaining or waiting:
            if remaining:
                waiting.add(remaining.pop(0)())
            patience = hedge_seconds if remaining else max(0.0, deadline - time.monotonic())
            done, waiting = wait(waiting, min(patience, max(0.0, deadline - time.monotonic())), FIRST_COMPLETED)
            for future in done:
                try:
                    return future.result()
                except PathFailedError as error:
                    failure = error
            if not done and time.monotonic() >= deadline:
                raise DeadlineError("no path answered before the deadline")
        raise failure
    finally:
        # What still waits behind a device that is held up must not be sent any more.
        for future in waiting:
            future.cancel()
