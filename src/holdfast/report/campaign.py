"""The page of a campaign: one file, nothing loaded from anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.drill.verdict.result import CheckResult, Verdict
from holdfast.report import story
from holdfast.report.course import draw_course, draw_strip, draw_strip_scale
from holdfast.report.drawing import Scale
from holdfast.report.lanes import Lane, Segment, reservation_lane
from holdfast.report.render import SYMBOLS, TEMPLATES, make_environment

if TYPE_CHECKING:
    from holdfast.drill.campaign.write import Outcome

FAILED = story.FAILED | {"service": "The cluster did not come back into service"}
UNSURE = story.UNSURE | {"faults": "Not all faults were played", "service": "A round could not be played",
                         "restored": "The campaign has not come to its end"}  # fmt: skip

SERVED = {Verdict.PASS: "every time", Verdict.FAIL: "not every time", Verdict.UNKNOWN: "not known"}


def write_campaign_report(root: Path, outcome: Outcome) -> Path:
    """report.html in the evidence folder."""
    page = root / "report.html"
    values = page_values(outcome) | {"files": len([f for f in root.rglob("*") if f.is_file()])}
    page.write_text(make_environment().get_template("campaign.html.j2").render(**values))
    return page


def page_values(outcome: Outcome) -> dict[str, Any]:
    """Everything the template prints."""
    history, judgement = outcome.history, outcome.judgement
    order = {Verdict.FAIL: 0, Verdict.UNKNOWN: 1, Verdict.PASS: 2}
    return {
        "run": history.run, "settings": history.run.get("campaign", {}), "history": history, "outcome": outcome,
        "verdict": judgement.verdict.value, "symbol": SYMBOLS[judgement.verdict],
        "symbols": {verdict.value: symbol for verdict, symbol in SYMBOLS.items()},
        "headline": headline(outcome), "tiles": tiles(outcome),
        "findings": [c for c in judgement.checks if c.verdict is not Verdict.PASS],
        "checks": sorted(judgement.checks, key=lambda c: order[c.verdict]),
        "counts": {v.value: sum(c.verdict is v for c in judgement.checks) for v in Verdict},
        "course": _course(outcome), "strips": {k.kind: draw_strip(k) for k in outcome.kinds}, "axis": draw_strip_scale(),
        "style": (TEMPLATES / "style.css").read_text(),
    }  # fmt: skip


def headline(outcome: Outcome) -> str:
    """One sentence that can be read out in a meeting."""
    judgement = outcome.judgement
    first = next((check for check in judgement.checks if check.verdict is judgement.verdict), None)
    if judgement.verdict is Verdict.FAIL and first:
        return f"{FAILED.get(first.name, first.title)}: {first.summary}."
    faults, service = judgement.of("faults"), judgement.of("service")
    if judgement.verdict is Verdict.UNKNOWN and (faults.measured or 0) < (faults.limit or 0):
        so_far = "in service again after every one of them" if service.verdict is Verdict.PASS else service.summary
        played = f"{faults.measured or 0:g} of {faults.limit or 0:g} faults"
        return f"Not finished: {played} so far, {so_far}. The verdict comes at the end."
    if judgement.verdict is Verdict.UNKNOWN and first:
        return f"This campaign proves nothing yet. {UNSURE.get(first.name, first.title)}: {first.summary}."
    count = sum(a.role == "writer" and a.outcome == "ok" for a in outcome.history.attempts)
    return (f"{outcome.faults} faults in {_length(outcome)}: in service again after every one of them, and not one of "
            f"{story.thousands(count)} confirmed transactions was lost.")  # fmt: skip


def _length(outcome: Outcome) -> str:
    seconds = sum(leg.ended - leg.started for leg in outcome.legs)
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"


def tiles(outcome: Outcome) -> list[story.Tile]:
    checks = {check.name: check for check in outcome.judgement.checks}
    count = sum(a.role == "writer" and a.outcome == "ok" for a in outcome.history.attempts)
    lost, faults, service = checks["acknowledged"], checks["faults"], checks["service"]
    over = sum(entry.over for entry in outcome.rounds)
    alone = sum(entry.limit_seconds is not None for entry in outcome.rounds)
    longest = "not known" if outcome.longest is None else f"{outcome.longest:.1f} s"
    return [
        story.Tile("Faults proven active", f"{faults.measured or 0:g}", f"of {faults.limit or 0:g} asked for", _good(faults),
                   (faults.measured or 0) / faults.limit if faults.limit else None),
        story.Tile("Transactions lost", "not known" if lost.measured is None else f"{lost.measured:g}",
                   f"of {story.thousands(count)} confirmed", _good(lost)),
        story.single_tile(outcome.judgement),
        story.Tile("In service again", SERVED[service.verdict],
                   service.summary, _good(service)),
        story.Tile("Longest outage", longest, f"{over} of {alone} single faults above the limit of their drill (not judged here)",
                   True if not over else None),
    ]  # fmt: skip


def _good(check: CheckResult) -> bool | None:
    return {Verdict.PASS: True, Verdict.FAIL: False}.get(check.verdict)


def _course(outcome: Outcome) -> str:
    """Time runs on while nobody watched between two legs; that part is named in its own lane."""
    if not outcome.legs or not outcome.rounds:
        return ""
    begin, end = outcome.legs[0].started, max(leg.ended for leg in outcome.legs)
    owner = reservation_lane(outcome.history, end)
    legs = Lane("Watched", tuple(Segment(leg.started, leg.ended, f"leg {leg.number}" if len(outcome.legs) > 1 else "all the time",
                                         "phase") for leg in outcome.legs), "probe and observers were running",
                "probe and observers")  # fmt: skip
    return draw_course(Scale(begin, max(end, begin + 1), begin), outcome.rounds, [owner, legs])
