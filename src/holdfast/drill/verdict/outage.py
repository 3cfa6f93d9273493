"""How long clients saw no success.

Outage = first ok after the fault minus last ok before it. A fault may bite late (a detection time, a second stumble
after a short recovery), so it is taken as the longest time between two successes of the same worker that ends after
the fault, and it includes the time from the last success to the end of the observation. The worst worker counts.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from holdfast.drill.verdict.history import Attempt


@dataclass(frozen=True)
class Gap:
    """A time without success. `recovered` is false where the observation ended before the next one."""

    worker: str
    start: float
    end: float
    recovered: bool = True

    @property
    def seconds(self) -> float:
        return self.end - self.start


def successes_by_worker(attempts: Iterable[Attempt], role: str = "writer") -> Mapping[str, list[float]]:
    """Times at which each worker learnt of a success, in order."""
    found: dict[str, list[float]] = defaultdict(list)
    for attempt in attempts:
        if attempt.role == role:
            found.setdefault(attempt.worker, [])
            if attempt.outcome == "ok":
                found[attempt.worker].append(attempt.end)
    return {worker: sorted(times) for worker, times in found.items()}


def longest_gaps(attempts: Iterable[Attempt], since: float, until: float) -> dict[str, Gap | None]:
    """Per worker the longest gap that touches [since, until]; None where nothing had succeeded before `since`."""
    gaps: dict[str, Gap | None] = {}
    for worker, times in successes_by_worker(attempts).items():
        before = [t for t in times if t <= since]
        after = [t for t in times if since < t <= until]
        if not before:
            gaps[worker] = None
            continue
        points = [before[-1], *after]
        pairs = [Gap(worker, a, b) for a, b in itertools.pairwise(points)]
        pairs.append(Gap(worker, points[-1], max(until, points[-1]), recovered=False))
        gaps[worker] = max(pairs, key=lambda gap: gap.seconds)
    return gaps


def resolution(attempts: Iterable[Attempt], before: float) -> float | None:
    """Median time between two successes of a worker in the quiet time: finer than this nothing was measured."""
    steps: list[float] = []
    for times in successes_by_worker(attempts).values():
        quiet = [t for t in times if t <= before]
        steps += [b - a for a, b in itertools.pairwise(quiet)]
    return sorted(steps)[len(steps) // 2] if steps else None
