"""What is judged only where somebody asked for it: the database's own search for damage, and the background load."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.drill.verdict.history import History, LoadSample
from holdfast.drill.verdict.result import CheckResult, Verdict


def check_integrity(history: History) -> CheckResult:
    """Every tool that was asked for has looked and found nothing. The last word of each counts."""
    name, title = "integrity", "The database's own tools find no damage"
    answers = {record.tool: record for record in sorted(history.integrity, key=lambda r: r.time)}
    asked: Sequence[str] = history.run.get("integrity", ())
    damage = [answer.words for answer in answers.values() if answer.good is False]
    missing = [f"{tool} was asked for and has not answered" for tool in asked if tool not in answers]
    unclear = [f"{answer.tool}: {answer.words}" for answer in answers.values() if answer.good is None]
    if damage:
        return CheckResult(name, title, Verdict.FAIL, damage[0], tuple(damage), len(damage), 0)
    if missing or unclear:
        return CheckResult(name, title, Verdict.UNKNOWN, (missing + unclear)[0], (*missing, *unclear))
    words = "; ".join(f"{answer.words}, in {answer.seconds:.0f} s" for answer in answers.values())
    return CheckResult(name, title, Verdict.PASS, words)


def check_load(history: History) -> CheckResult:
    """A load that was not there when the fault came has loaded nothing."""
    name, title = "load", "The background load was there"
    act = history.phase("act")
    if act is None:
        return CheckResult(name, title, Verdict.UNKNOWN, "there was no act")
    before = [s for s in history.load if s.time <= act.started and s.tps > 0]
    if not before:
        return CheckResult(name, title, Verdict.UNKNOWN, "no transaction of the load before the act")
    during = [s for s in history.load if act.started < s.time <= act.ended]
    words = f"{_rate(before):.0f} transactions a second before the act, {_rate(during):.0f} during it"
    return CheckResult(name, title, Verdict.PASS, words, measured=round(_rate(before), 1))


def _rate(samples: Sequence[LoadSample]) -> float:
    return sum(s.tps for s in samples) / len(samples) if samples else 0.0
