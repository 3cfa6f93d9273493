"""One page, no file beside it, nothing loaded from anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

from holdfast.drill.verdict.history import History
from holdfast.drill.verdict.result import Judgement, Verdict
from holdfast.report import story
from holdfast.report.drawing import Scale, draw_timeline
from holdfast.report.lanes import (
    Lane,
    Segment,
    address_lane,
    buckets,
    fault_lanes,
    node_lane,
    phase_lane,
    reservation_lane,
)

TEMPLATES = Path(__file__).with_name("templates")
SLICES = 200
SYMBOLS = {Verdict.PASS: "✓", Verdict.FAIL: "✗", Verdict.UNKNOWN: "?"}


def write_report(root: Path, history: History, judgement: Judgement) -> Path:
    """report.html in the evidence folder."""
    page = root / "report.html"
    files = sorted(str(f.relative_to(root)) for f in root.rglob("*") if f.is_file() and f != page)
    page.write_text(render_report(history, judgement, files))
    return page


def render_report(history: History, judgement: Judgement, files: list[str]) -> str:
    return make_environment().get_template("report.html.j2").render(**page_values(history, judgement, files))


def make_environment() -> jinja2.Environment:
    """The templates; an undefined name is an error, and everything is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["when"] = story.when
    return environment


def page_values(history: History, judgement: Judgement, files: list[str]) -> dict[str, Any]:
    """Everything the template prints."""
    zero = history.zero
    order = {Verdict.FAIL: 0, Verdict.UNKNOWN: 1, Verdict.PASS: 2}
    return {
        "run": history.run,
        "history": history,
        "zero": zero,
        "verdict": judgement.verdict.value,
        "symbol": SYMBOLS[judgement.verdict],
        "symbols": {verdict.value: symbol for verdict, symbol in SYMBOLS.items()},
        "headline": story.headline(history, judgement),
        "tiles": story.tiles(history, judgement),
        "findings": [c for c in judgement.checks if c.verdict is not Verdict.PASS],
        "checks": sorted(judgement.checks, key=lambda c: order[c.verdict]),
        "counts": {v.value: sum(c.verdict is v for c in judgement.checks) for v in Verdict},
        "focus": draw_focus(history, zero),
        "whole": draw_whole(history, zero),
        "budget": story.budget(history),
        "faults": story.faults_said(history),
        "log": story.log_excerpt(history),
        "files": files,
        "style": (TEMPLATES / "style.css").read_text(),
    }


def draw_whole(history: History, zero: float) -> str:
    start = float(history.run.get("started") or zero)
    end = float(history.run.get("ended") or zero + 1)
    return _draw(history, Scale(start, max(end, start + 1), zero), "The whole drill", whole=True)


def draw_focus(history: History, zero: float) -> str:
    """From just before the fault until service has settled."""
    gap = story.worst_gap(history)
    act = history.phase("act")
    start = min(zero, gap.start if gap else zero) - 2.5
    end = max(zero + 6, gap.end + 3.5 if gap else 0)
    if gap is None or gap.seconds < 1 or end - start > 90:
        end = min(zero + 30, act.ended if act else zero + 30)
    return _draw(history, Scale(start, max(end, start + 5), zero), "Around the fault", whole=False)


def _draw(history: History, scale: Scale, title: str, whole: bool) -> str:
    gap = story.worst_gap(history)
    words = "no success for" if gap and gap.seconds >= 1 else "longest wait"
    band = Segment(gap.start, gap.end, f"{words} {gap.seconds:.2f} s", "outage") if gap else None
    lanes: list[Lane] = [*fault_lanes(history, scale.end)]
    lanes += [address_lane(history, scale.end), reservation_lane(history, scale.end)]
    lanes += [node_lane(history, node, scale.end) for node in history.nodes]
    lanes += [phase_lane(history)] if whole else []
    traffic = buckets(history.attempts, scale.start, scale.end, SLICES)
    return draw_timeline(scale, lanes, traffic, band, title, history.load)
