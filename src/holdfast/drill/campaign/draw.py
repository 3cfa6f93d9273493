"""From a seed to rounds. Pure: the same seed, count, table and catalogue give the same rounds on every machine.

Only ``random.Random.random`` is used: of the whole module it alone is promised to give the same sequence in every
version of Python (Python library reference, random, "Notes on reproducibility").
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from holdfast.drill.runbook.faults import load_fault_kinds
from holdfast.drill.runbook.model import FaultStep, Runbook

# Share of the rounds in which something else begins while the faults of the first entry are active, and how late.
TOGETHER = 0.25
PARTNER_DELAY_SECONDS = 6.0
# Kinds that work on the same packets of a host; two of them at once would prove each other's absence.
TRAFFIC = frozenset({"network_drop", "network_loss", "network_delay", "network_flap", "path_cut", "all_paths_cut",
                     "cable_pull"})  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One line of draws.yml."""

    runbook: str
    weight: float
    hold_seconds: tuple[float, float] = (0.0, 0.0)
    partner: bool = False
    only_partner: bool = False


@dataclass(frozen=True)
class Draw:
    """One runbook's faults, `delay_seconds` after those of the first draw of the round."""

    runbook: str
    delay_seconds: float = 0.0


@dataclass(frozen=True)
class Round:
    """`hold_seconds`: how long the faults are left alone, counted from the last injection."""

    number: int
    draws: tuple[Draw, ...]
    hold_seconds: float
    faults: int

    @property
    def name(self) -> str:
        return " + ".join(draw.runbook for draw in self.draws)


@cache
def load_entries() -> tuple[Entry, ...]:
    raw = yaml.safe_load(Path(__file__).with_name("draws.yml").read_text())
    return tuple(Entry(name, **{**words, "hold_seconds": tuple(words.get("hold_seconds", (0.0, 0.0)))})
                 for name, words in raw.items())  # fmt: skip


def draw_rounds(seed: int, entries: Sequence[Entry], runbooks: Mapping[str, Runbook]) -> Iterator[Round]:
    """Rounds without end; whoever plays them knows when enough faults were proven."""
    source = random.Random(seed)
    number = 0
    while True:
        number += 1
        yield _draw_round(source, number, entries, runbooks)


def first_rounds(rounds: Iterator[Round], faults: int) -> list[Round]:
    """As many as are needed for `faults` faults, where all of them do what they shall."""
    found: list[Round] = []
    while sum(entry.faults for entry in found) < faults:
        found.append(next(rounds))
    return found


def _draw_round(source: random.Random, number: int, entries: Sequence[Entry], runbooks: Mapping[str, Runbook]) -> Round:
    first = choose(source, [entry for entry in entries if not entry.only_partner])
    hold = between(source, first.hold_seconds)
    draws, names = [Draw(first.runbook)], [first.runbook]
    together, late = source.random() < TOGETHER, between(source, (0.0, PARTNER_DELAY_SECONDS))
    partners = [e for e in entries if e.partner and compatible(runbooks[first.runbook], runbooks[e.runbook])]
    if together and partners:
        second = choose(source, partners)
        planned = second.only_partner  # the move begins first, the fault hits it on its way
        draws = [Draw(second.runbook), Draw(first.runbook, late / 4)] if planned else [*draws, Draw(second.runbook, late)]
        hold = max(hold, between(source, second.hold_seconds))
        names.append(second.runbook)
    return Round(number, tuple(draws), hold, sum(count_faults(runbooks[name]) for name in names))


def count_faults(runbook: Runbook) -> int:
    """Faults of its steps; one at all nodes counts once."""
    return len([step for step in runbook.steps if isinstance(step.action, FaultStep)])


def compatible(first: Runbook, second: Runbook) -> bool:
    """Whether both can be injected and proven at the same time."""
    if first.name == second.name:
        return False
    return not any(_collide(a, b) for a in first.faults for b in second.faults)


def _collide(a: FaultStep, b: FaultStep) -> bool:
    if _place(a) != _place(b):
        return False
    kinds = load_fault_kinds()
    gone = any(kinds[f.kind].takes_node_down or f.kind == "node_freeze" for f in (a, b))
    return gone or a.kind == b.kind or (a.kind in TRAFFIC and b.kind in TRAFFIC)


def _place(fault: FaultStep) -> str:
    return "standby" if fault.target == "any_standby" else fault.target


def choose(source: random.Random, entries: Sequence[Entry]) -> Entry:
    """One of them, by weight."""
    at = source.random() * sum(entry.weight for entry in entries)
    for entry in entries:
        at -= entry.weight
        if at < 0:
            return entry
    return entries[-1]


def between(source: random.Random, limits: tuple[float, float]) -> float:
    """A time in tenths of a second."""
    return round(limits[0] + (limits[1] - limits[0]) * source.random(), 1)
