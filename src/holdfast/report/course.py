"""A campaign as pictures: what clients noticed of each round over time, and of each kind. SVG, looks from CSS classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from holdfast.drill.campaign.figures import KindFigures, RoundFigures
from holdfast.report.drawing import LEFT, RIGHT, WIDTH, Scale, draw_lane, draw_lane_height
from holdfast.report.lanes import Lane

# Outages span three decades: a missed heartbeat is 0.1 s, a power cut of the array a minute.
SHORTEST, LONGEST = 0.05, 200.0
DECADES = (0.1, 1.0, 10.0, 100.0)
PLOT = 210.0
STRIP, STRIP_HEIGHT = 420.0, 22.0


def height_of(seconds: float, full: float) -> float:
    """Logarithmic: pixels from the base line."""
    inside = min(max(seconds, SHORTEST), LONGEST)
    return full * math.log(inside / SHORTEST) / math.log(LONGEST / SHORTEST)


def look_of(entry: RoundFigures) -> str:
    """CSS class: how a round is coloured."""
    if entry.round.ended is None:
        return "cut"  # its controller died: nobody knows how it would have ended
    if entry.round.outcome != "ok":
        return "lost"
    if len(entry.round.runbooks) > 1:
        return "two"
    return "over" if entry.over else "fine"


def draw_course(scale: Scale, rounds: Sequence[RoundFigures], lanes: Sequence[Lane]) -> str:
    """A stem per round, as high as the longest wait of a client; below it who owned the package."""
    top, base = 14.0, 14.0 + PLOT
    parts = [f'<text class="lane" x="0" y="{top + 14}">Clients</text>',
             f'<text class="sub" x="0" y="{top + 29}">longest wait</text>',
             f'<text class="sub" x="0" y="{top + 43}">in each round</text>']  # fmt: skip
    for decade in DECADES:
        y = base - height_of(decade, PLOT)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
                     f'<text class="tick right" x="{LEFT - 6}" y="{y + 4:.1f}">{decade:g} s</text>')  # fmt: skip
    parts += [_draw_stem(scale, entry, base) for entry in rounds if entry.outage_seconds is not None]
    y = base + 16
    for lane in lanes:
        parts.append(draw_lane(scale, lane, y))
        y += draw_lane_height()
    for minutes in minute_ticks((scale.end - scale.start) / 60):
        x = scale.x(scale.zero + 60 * minutes)
        parts.append(f'<text class="tick" x="{x:.1f}" y="{y + 12:.0f}">{minutes} min</text>')
    return (f'<svg viewBox="0 0 {WIDTH} {y + 18:.0f}" role="img" aria-label="The campaign" class="timeline">'
            f'<title>The campaign</title>{"".join(parts)}</svg>')  # fmt: skip


def minute_ticks(length: float) -> range:
    """At most a dozen of them, in steps that people count in."""
    step = next((s for s in (1, 2, 5, 10, 15, 30, 60, 120) if length / s <= 12), 240)
    return range(0, int(length) + 1, step)


def _draw_stem(scale: Scale, entry: RoundFigures, base: float) -> str:
    seconds = entry.outage_seconds or 0.0
    x, height = scale.x(entry.round.started), height_of(seconds, PLOT)
    tip = escape(f"round {entry.round.number}: {', '.join(entry.faults) or entry.round.name}\nlongest wait {seconds:.2f} s")
    return (f'<g class="stem {look_of(entry)}"><title>{tip}</title><line x1="{x:.1f}" x2="{x:.1f}" y1="{base:.1f}" '
            f'y2="{base - height:.1f}"/><circle cx="{x:.1f}" cy="{base - height:.1f}" r="4"/></g>')  # fmt: skip


def draw_strip(kind: KindFigures) -> str:
    """All outages of one kind on one line, with the median and the limit of the single drill."""
    middle = STRIP_HEIGHT / 2
    parts = [f'<line class="base" x1="0" x2="{STRIP}" y1="{middle}" y2="{middle}"/>']
    for decade in DECADES:
        x = height_of(decade, STRIP)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="2" y2="{STRIP_HEIGHT - 2}"/>')
    if kind.limit_seconds is not None:
        x = height_of(kind.limit_seconds, STRIP)
        parts.append(f'<line class="limit" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{STRIP_HEIGHT}">'
                     f"<title>limit of the drill {kind.limit_seconds:g} s</title></line>")  # fmt: skip
    limit = math.inf if kind.limit_seconds is None else kind.limit_seconds
    parts += [f'<circle class="{"over" if s > limit else "fine"}" cx="{height_of(s, STRIP):.1f}" cy="{middle}" r="4">'
              f"<title>{s:.2f} s</title></circle>" for s in kind.outages]  # fmt: skip
    x = height_of(kind.median, STRIP)
    parts.append(f'<line class="median" x1="{x:.1f}" x2="{x:.1f}" y1="2" y2="{STRIP_HEIGHT - 2}"/>')
    return (f'<svg viewBox="0 0 {STRIP:.0f} {STRIP_HEIGHT:.0f}" class="strip" role="img" '
            f'aria-label="outages of {escape(kind.kind)}">{"".join(parts)}</svg>')  # fmt: skip


def draw_strip_scale() -> str:
    """The axis of the strips."""
    ticks = "".join(f'<text class="tick" x="{height_of(d, STRIP):.1f}" y="12">{d:g} s</text>' for d in DECADES)
    return f'<svg viewBox="0 0 {STRIP:.0f} 16" class="strip" role="img" aria-label="axis">{ticks}</svg>'
