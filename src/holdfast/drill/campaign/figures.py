"""What clients noticed, round by round and by kind of fault. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.drill.campaign.checks import Window
from holdfast.drill.campaign.rounds import PlayedRound
from holdfast.drill.verdict.checks import clients, ownership

TOGETHER = "two at once"


@dataclass(frozen=True)
class RoundFigures:
    """`outage_seconds` is the longest time without success of the worst writer, `limit_seconds` that of the single
    drill (None where two faults met, or the drill has none)."""

    round: PlayedRound
    faults: tuple[str, ...]
    outage_seconds: float | None
    limit_seconds: float | None
    errors: int
    moves: int
    restarted: tuple[str, ...]
    owner_after: str

    @property
    def over(self) -> bool:
        both = self.outage_seconds is not None and self.limit_seconds is not None
        return both and self.outage_seconds > self.limit_seconds  # type: ignore[operator]


@dataclass(frozen=True)
class KindFigures:
    """Outages of all rounds of one kind, in seconds."""

    kind: str
    outages: tuple[float, ...]
    limit_seconds: float | None
    over: int

    @property
    def median(self) -> float:
        return percentile(self.outages, 0.5)

    @property
    def p95(self) -> float:
        return percentile(self.outages, 0.95)


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank: the smallest value that at least this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def round_figures(cut: Sequence[Window]) -> list[RoundFigures]:
    """One per round, in order."""
    return [_figures(window) for window in cut if window.round is not None]


def _figures(window: Window) -> RoundFigures:
    history, played = window.history, window.round
    assert played is not None
    outage = clients.check_outage(history)
    owners = [node for _, node in ownership.owners_over_time(history)]
    during = [a for a in history.attempts if played.started <= a.end <= (played.ended or played.started)]
    boots = {node: {s.boot_id for s in history.samples if s.node == node} for node in history.nodes}
    return RoundFigures(
        played, tuple(f"{f.kind} at {f.host}" for f in history.faults if f.active is True), outage.measured, outage.limit,
        sum(a.outcome != "ok" for a in during), max(0, len(owners) - 1),
        tuple(node for node, seen in boots.items() if len(seen) > 1), owners[-1] if owners else "",
    )  # fmt: skip


def by_kind(rounds: Sequence[RoundFigures]) -> list[KindFigures]:
    """Rounds with one draw by its name, the others together; the longest median first."""
    groups: dict[str, list[RoundFigures]] = defaultdict(list)
    for entry in rounds:
        if entry.outage_seconds is not None and entry.round.outcome == "ok":
            groups[entry.round.name if len(entry.round.runbooks) == 1 else TOGETHER].append(entry)
    found = [KindFigures(kind, tuple(r.outage_seconds for r in group if r.outage_seconds is not None),
                         group[0].limit_seconds, sum(r.over for r in group)) for kind, group in groups.items()]  # fmt: skip
    return sorted(found, key=lambda figures: -figures.median)
