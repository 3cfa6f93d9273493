"""The rounds that were played, from the journal. Pure but for the reading of the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.drill.resuming import read_lines
from holdfast.drill.runbook.model import Expectation
from holdfast.drill.verdict.load import load_expectation


@dataclass(frozen=True)
class PlayedRound:
    """`number` is its place in the plan, `serial` counts what was begun: a round that was cut off is played again."""

    number: int
    serial: int
    runbooks: tuple[str, ...]
    roles: Mapping[str, str]
    hold_seconds: float
    started: float
    expect: tuple[Expectation, ...]
    ended: float | None = None
    outcome: str = "cut off"
    detail: str = ""
    service_seconds: float | None = None
    not_injected: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return " + ".join(self.runbooks)


@dataclass(frozen=True)
class Leg:
    """A time of continuous watching."""

    number: int
    started: float
    ended: float


@dataclass
class _Open:
    start: Mapping[str, Any]
    end: Mapping[str, Any] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)


def prefix(serial: int) -> str:
    """Begin of the names of all faults of a round."""
    return f"r{serial:03}_"


def read_journal(folder: Path) -> list[dict[str, Any]]:
    return read_lines((folder / "journal.jsonl").read_text().splitlines())


def read_rounds(journal: Iterable[Mapping[str, Any]]) -> list[PlayedRound]:
    found: dict[int, _Open] = {}
    for entry in journal:
        if entry["kind"] == "round" and entry["event"] == "start":
            found[entry["serial"]] = _Open(entry)
        elif entry["kind"] == "round":
            found[entry["serial"]].end = entry
        elif entry["kind"] == "not_injected":
            found[entry["serial"]].missed.append(f"{entry['runbook']}: {entry['why']}")
    return [_build(entry) for entry in found.values()]


def _build(entry: _Open) -> PlayedRound:
    start, end = entry.start, entry.end
    return PlayedRound(
        start["number"], start["serial"], tuple(draw["runbook"] for draw in start["draws"]), start["roles"],
        start["hold_seconds"], start["t_wall"], tuple(load_expectation(raw) for raw in start["expect"]),
        end.get("t_wall"), end.get("outcome", "cut off"), end.get("detail", "the controller went away"),
        end.get("service_seconds"), tuple(entry.missed),
    )  # fmt: skip


def read_legs(journal: Sequence[Mapping[str, Any]]) -> list[Leg]:
    """A leg without an end lasted until the last word before the next one, or until the end of the journal."""
    legs: list[Leg] = []
    begun: tuple[int, float] | None = None
    last = 0.0
    for entry in journal:
        if entry["kind"] in ("leg", "resumed") and begun is not None:
            ended = entry["t_wall"] if entry["kind"] == "leg" and entry["event"] == "end" else last
            legs.append(Leg(begun[0], begun[1], ended))
            begun = None
        if entry["kind"] == "leg" and entry["event"] == "start":
            begun = (entry["number"], entry["t_wall"])
        last = entry["t_wall"]
    return [*legs, Leg(begun[0], begun[1], last)] if begun else legs


def count_proven(journal: Sequence[Mapping[str, Any]]) -> int:
    """Faults that were proven active in rounds that were played to their end."""
    whole = {prefix(e["serial"]) for e in journal if e["kind"] == "round" and e["event"] == "end"}
    active = {e["id"]: e["active"] for e in journal if e["kind"] in ("fault", "proof")}  # the last word counts
    return sum(seen is True and name.split("_")[0] + "_" in whole for name, seen in active.items())
