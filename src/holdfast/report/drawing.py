"""Lanes as SVG. Looks come from CSS classes of the page, so that light, dark and print need no second drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from holdfast.drill.verdict.history import LoadSample
from holdfast.report.lanes import Bucket, Lane, Segment

LEFT, RIGHT, WIDTH = 120, 14, 1120
ROW, GAP, CHART, LATENCY = 26, 8, 58, 34
# The load speaks once a second.
LOAD_GAP_SECONDS = 2.5
# Average width of a character at 12 px in the fonts that browsers use for sans-serif text.
CHARACTER = 6.4


@dataclass(frozen=True)
class Scale:
    """Seconds to pixels; `zero` is the instant that the axis calls 0 s."""

    start: float
    end: float
    zero: float

    def x(self, time: float) -> float:
        inside = min(max(time, self.start), self.end)
        return LEFT + (inside - self.start) / (self.end - self.start) * (WIDTH - LEFT - RIGHT)

    def ticks(self) -> list[float]:
        """Round steps, eight to sixteen of them."""
        rough = (self.end - self.start) / 12
        magnitude = 10 ** math.floor(math.log10(rough))
        step = next(magnitude * m for m in (1, 2, 5, 10) if magnitude * m >= rough)
        first = math.ceil((self.start - self.zero) / step)
        last = math.floor((self.end - self.zero) / step)
        return [n * step for n in range(first, last + 1)]


def draw_timeline(
    scale: Scale, lanes: list[Lane], traffic: list[Bucket], band: Segment | None, title: str, load: Sequence[LoadSample] = ()
) -> str:
    """The whole picture: clients on top, then one row per lane, the time without service as a band behind all."""
    top = 24
    parts: list[str] = []
    y = top + CHART + LATENCY + 2 * GAP
    if load:
        parts.append(_draw_load(scale, load, y))
        y += LATENCY + GAP
    for lane in lanes:
        parts.append(draw_lane(scale, lane, y))
        y += ROW + GAP
    height = y + 22
    back = [_draw_axis(scale, top, y), _draw_band(scale, band, top, y)]
    body = "".join([*back, _draw_traffic(scale, traffic, top), _draw_latency(scale, traffic, top + CHART + GAP), *parts])
    return (f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}" '
            f'class="timeline"><title>{escape(title)}</title>{body}</svg>')  # fmt: skip


def _draw_axis(scale: Scale, top: float, bottom: float) -> str:
    parts = []
    for tick in scale.ticks():
        x = scale.x(scale.zero + tick)
        kind = "zero" if abs(tick) < 1e-9 else "grid"
        parts.append(f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom:.0f}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 16:.0f}">{tick:g} s</text>')
    return "".join(parts)


def _draw_band(scale: Scale, band: Segment | None, top: float, bottom: float) -> str:
    if band is None or band.end <= scale.start or band.start >= scale.end:
        return ""
    a, b = scale.x(band.start), scale.x(band.end)
    middle = (a + b) / 2
    return (
        f'<rect class="outage" x="{a:.1f}" y="{top}" width="{max(b - a, 1):.1f}" height="{bottom - top:.0f}"/>'
        f'<path class="bracket" d="M{a:.1f} {top - 2} v-6 H{b:.1f} v6"/>'
        f'<text class="outage-label" x="{middle:.1f}" y="{top - 12}">{escape(band.label)}</text>'
    )


def _draw_traffic(scale: Scale, traffic: list[Bucket], top: float) -> str:
    """Successes as bars upwards in proportion to the busiest slice; errors as marks on the base line."""
    base = top + CHART - 14
    peak = max((b.good for b in traffic), default=0) or 1
    parts = [f'<text class="lane" x="0" y="{top + 22}">Clients</text>',
             f'<text class="sub" x="0" y="{top + 37}">done / errors</text>',
             f'<line class="base" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}"/>']  # fmt: skip
    for bucket in traffic:
        a, b = scale.x(bucket.start), scale.x(bucket.end)
        width = max(b - a - 0.4, 0.8)
        height = (CHART - 20) * bucket.good / peak
        tip = f"<title>{bucket.good} done, {bucket.bad} failed, slowest {bucket.slowest * 1000:.0f} ms</title>"
        if bucket.good:
            parts.append(f'<rect class="good" x="{a:.1f}" y="{base - height:.1f}" width="{width:.1f}" '
                         f'height="{height:.1f}">{tip}</rect>')  # fmt: skip
        if bucket.bad:
            parts.append(f'<rect class="bad" x="{a:.1f}" y="{base + 2}" width="{width:.1f}" '
                         f'height="{min(4 + 2 * bucket.bad, 12)}">{tip}</rect>')  # fmt: skip
    return "".join(parts)


def _draw_latency(scale: Scale, traffic: list[Bucket], top: float) -> str:
    """The slowest success of each slice, as a line that breaks where there was none."""
    worst = max((b.slowest for b in traffic), default=0.0) or 1.0
    points = [((b.start + b.end) / 2, b.slowest if b.good else None) for b in traffic]
    return _draw_curve(scale, points, worst, top, "Latency", f"up to {worst * 1000:.0f} ms")


def _draw_load(scale: Scale, load: Sequence[LoadSample], top: float) -> str:
    """Transactions per second of the background load; a second without a word of it is a gap."""
    seen = [sample for sample in load if scale.start <= sample.time <= scale.end]
    most = max((sample.tps for sample in seen), default=0.0) or 1.0
    points: list[tuple[float, float | None]] = []
    for sample in seen:
        if points and sample.time - points[-1][0] > LOAD_GAP_SECONDS:
            points.append((points[-1][0], None))
        points.append((sample.time, sample.tps))
    return _draw_curve(scale, points, most, top, "Load", f"up to {most:.0f}/s")


def _draw_curve(
    scale: Scale, points: Sequence[tuple[float, float | None]], most: float, top: float, name: str, words: str
) -> str:
    """Values over time as a line that breaks where there is none."""
    base = top + LATENCY
    parts = [f'<text class="lane" x="0" y="{top + 14}">{name}</text>',
             f'<text class="sub" x="0" y="{top + 29}">{words}</text>',
             f'<line class="base" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}"/>']  # fmt: skip
    pen = "M"
    path = ""
    for time, value in points:
        if value is not None:
            path += f"{pen}{scale.x(time):.1f} {base - (LATENCY - 3) * value / most:.1f}"
        pen = "M" if value is None else "L"
    return "".join([*parts, f'<path class="latency" d="{path}"/>' if path else ""])


def draw_lane_height() -> float:
    """From one lane to the next."""
    return ROW + GAP


def draw_lane(scale: Scale, lane: Lane, y: float) -> str:
    """One row of segments with its name."""
    below = f'<text class="sub" x="0" y="{y + 24:.0f}">{escape(lane.short)}</text>' if lane.short else ""
    parts = [f'<text class="lane" x="0" y="{y + (11 if below else 17):.0f}">{escape(lane.name)}'
             f"<title>{escape(lane.explain)}</title></text>{below}",
             f'<line class="base" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y + ROW / 2}" y2="{y + ROW / 2}"/>']  # fmt: skip
    return "".join([*parts, *(_draw_segment(scale, s, y) for s in lane.segments if _visible(scale, s))])


def _visible(scale: Scale, segment: Segment) -> bool:
    return segment.end > scale.start and segment.start < scale.end


def _draw_segment(scale: Scale, segment: Segment, y: float) -> str:
    a, b = scale.x(segment.start), scale.x(segment.end)
    width = max(b - a, 2.0)
    seconds = f"{segment.start - scale.zero:+.2f} s to {segment.end - scale.zero:+.2f} s"
    tip = escape(f"{segment.label}: {seconds}" + (f"\n{segment.note}" if segment.note else ""))
    text = ""
    if len(segment.label) * CHARACTER + 8 <= width:
        text = f'<text class="in" x="{a + 6:.1f}" y="{y + 17:.0f}">{escape(segment.label)}</text>'
    return (f'<g class="seg {escape(segment.kind)}"><title>{tip}</title><rect x="{a:.1f}" y="{y}" rx="3" '
            f'width="{width:.1f}" height="{ROW}"/>{text}</g>')  # fmt: skip
