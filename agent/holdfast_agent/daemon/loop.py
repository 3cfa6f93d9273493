"""The agent's one thread: waits for descriptors and timers on the monotonic clock, calls back, never blocks."""

from __future__ import annotations

import heapq
import itertools
import selectors
import time
from collections.abc import Callable

Callback = Callable[[], None]


class Timer:
    """Handle of a scheduled call; cancelling it is always safe."""

    def __init__(self, when: float, callback: Callback) -> None:
        self.when = when
        self.callback: Callback | None = callback

    def cancel(self) -> None:
        """Make sure that the call never happens."""
        self.callback = None


class Loop:
    """Readiness callbacks and timers; ``now`` is the monotonic clock that every deadline of the agent uses."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._running = True

    @property
    def now(self) -> float:
        """Seconds of CLOCK_MONOTONIC."""
        return time.monotonic()

    def watch(self, descriptor: int, callback: Callback) -> None:
        """Call back whenever the descriptor is readable or closed by its other end."""
        self._selector.register(descriptor, selectors.EVENT_READ, callback)

    def unwatch(self, descriptor: int) -> None:
        """Stop watching; a descriptor that is not watched is fine."""
        if descriptor in self._selector.get_map():
            self._selector.unregister(descriptor)

    def call_at(self, when: float, callback: Callback) -> Timer:
        """Call once at a moment of the monotonic clock, or soon after."""
        timer = Timer(when, callback)
        heapq.heappush(self._timers, (when, next(self._order), timer))
        return timer

    def call_soon(self, callback: Callback) -> Timer:
        """Call once after the present callback has returned."""
        return self.call_at(self.now, callback)

    def stop(self) -> None:
        """Leave ``run`` after the present callback."""
        self._running = False

    def run(self) -> None:
        """Serve until ``stop``; an exception of a callback ends the agent, because going on would be guessing."""
        while self._running:
            for key, _ in self._selector.select(self._next_wait()):
                # A callback before this one may have closed the descriptor, and its number may mean another one by now.
                current = self._selector.get_map().get(key.fd)
                if current is not None and current.data is key.data:
                    key.data()
            self._run_due_timers()

    def _next_wait(self) -> float | None:
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0][0] - self.now) if self._timers else None

    def _run_due_timers(self) -> None:
        # Only what is due now: a timer that schedules itself again for "now" must not starve the descriptors.
        limit = self.now
        while self._timers and self._timers[0][0] <= limit and self._running:
            timer = heapq.heappop(self._timers)[2]
            callback, timer.callback = timer.callback, None
            if callback is not None:
                callback()
