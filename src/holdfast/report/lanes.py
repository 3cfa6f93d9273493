"""What happened, as lanes of segments on one time axis. No drawing, no colours, only times and words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from holdfast.drill.verdict.checks.ownership import MAXIMUM_SAMPLE_GAP_SECONDS, SAMPLE_PERIOD_SECONDS
from holdfast.drill.verdict.history import Attempt, History, NodeSample, node_of_key

# A node without samples for this long is shown as silent: the same length that the verdict does not accept.
SILENT_AFTER_SECONDS = MAXIMUM_SAMPLE_GAP_SECONDS


@dataclass(frozen=True)
class Segment:
    """`kind` selects the look: a node number, a state of an agent, a phase, a fault."""

    start: float
    end: float
    label: str
    kind: str
    note: str = ""


@dataclass(frozen=True)
class Lane:
    """`short` stands below the name, for those who cannot point at it (paper, a phone); `explain` is the whole of it."""

    name: str
    segments: tuple[Segment, ...]
    explain: str = ""
    short: str = ""


@dataclass(frozen=True)
class Bucket:
    """Attempts that ended within one slice of time. `slowest` is in seconds, of the successful ones."""

    start: float
    end: float
    good: int
    bad: int
    slowest: float


def join_runs(points: Iterable[tuple[float, str, str]], end: float) -> list[Segment]:
    """`(time, label, kind)` points that hold until the next one, equal neighbours joined; empty labels are gaps."""
    segments: list[Segment] = []
    current: tuple[float, str, str] | None = None
    for point in [*points, (end, "", "end")]:
        if current is not None and point[1:] == current[1:]:
            continue
        if current is not None and current[1] and point[0] > current[0]:
            segments.append(Segment(current[0], point[0], current[1], current[2]))
        current = point
    return segments


def node_kind(history: History, node: str) -> str:
    """`node1`, `node2`, …: the look of a node, the same in every lane."""
    return f"node{list(history.nodes).index(node) + 1}" if node in history.nodes else "stranger"


def fault_lanes(history: History, end: float) -> list[Lane]:
    """One lane, and a further one for every fault that was injected before those in the lanes above were undone."""
    lanes: list[list[Segment]] = []
    for fault in sorted(history.faults, key=lambda fault: fault.injected):
        until = max(fault.healed or end, fault.injected + 0.15)
        segment = Segment(fault.injected, until, f"{fault.kind.replace('_', ' ')} at {fault.host}",
                          "fault" if fault.active else "unproven", fault.proof)  # fmt: skip
        free = next((lane for lane in lanes if lane[-1].end <= segment.start), None)
        if free is None:
            lanes.append([segment])
        else:
            free.append(segment)
    return [Lane("" if number else "Fault", tuple(lane), "from the injection until it was undone",
                 "" if number else "until it was undone") for number, lane in enumerate(lanes)]  # fmt: skip


def phase_lane(history: History) -> Lane:
    segments = [Segment(p.started, p.ended, p.name.replace("_", " "), "phase") for p in history.phases]
    return Lane("Drill", tuple(segments), "phases of the drill", "its phases")


def address_lane(history: History, end: float) -> Lane:
    points = [(s.time, *_answer(history, s.macs)) for s in sorted(history.address_samples, key=lambda s: s.time)]
    return Lane("Address", tuple(join_runs(points, end)), "who answers ARP for it, seen from the client", "who answers for it")


def _answer(history: History, macs: frozenset[str]) -> tuple[str, str]:
    if len(macs) > 1:
        return "TWO NODES", "conflict"
    node = history.macs.get(next(iter(macs), ""), "")
    return (node, node_kind(history, node)) if node else ("", "none")


def reservation_lane(history: History, end: float) -> Lane:
    names = {number: node for node, number in history.node_ids.items()}
    points: list[tuple[float, str, str]] = []
    for sample in sorted(history.samples, key=lambda s: s.time):
        holders = {v.holder for v in sample.luns.values() if not v.error}
        if holders:
            found = sorted(names.get(node_of_key(h), "stranger") if h else "nobody" for h in holders)
            label = " + ".join(dict.fromkeys(found))
            points.append((sample.time, label, _holder_kind(history, label)))
    return Lane("Reservation", tuple(join_runs(points, end)), "who holds it, read from the array", "who holds the disks")


def _holder_kind(history: History, label: str) -> str:
    if label == "nobody":
        return "silent"
    return node_kind(history, label) if label in history.nodes else "conflict"


def node_lane(history: History, node: str, end: float) -> Lane:
    """The agent's states from its event log, laid over the times at which the node could be watched at all."""
    samples = sorted((s for s in history.samples if s.node == node), key=lambda s: s.time)
    silences = _silences(samples, end)
    events = [e for e in history.events if e.node == node and e.state]
    points: list[tuple[float, str, str]] = []
    if samples:
        first = _state_around(history, samples, samples[0].time)
        points.append((samples[0].time, first, first))
    points += [(e.time, e.state, e.state) for e in events]
    for start, stop in silences:
        points.append((start, "no sign of life", "silent"))
        known = [e.state for e in events if e.time <= stop]
        state = known[-1] if known else _state_around(history, samples, stop)
        points.append((stop, state, state))
    points.sort(key=lambda point: point[0])
    inside = [p for p in points if p[2] == "silent" or not any(a < p[0] < b for a, b in silences)]
    return Lane(node, tuple(join_runs(inside, end)), "state of the agent", "state of its agent")


def _silences(samples: Sequence[NodeSample], end: float) -> list[tuple[float, float]]:
    times = [*(s.time for s in samples), end]
    found = []
    for a, b in pairwise(times):
        if b - a > SILENT_AFTER_SECONDS:
            found.append((a + SAMPLE_PERIOD_SECONDS, b))
    return found


def _state_around(history: History, samples: Sequence[NodeSample], time: float) -> str:
    """Before the agent's first word: what the next samples show (the very first ones have no answer of the array yet)."""
    near = [s for s in samples if time <= s.time <= time + SILENT_AFTER_SECONDS]
    return "owner" if any(_owns(history, s) for s in near) else "standby"


def _owns(history: History, sample: NodeSample) -> bool:
    own = history.node_ids[sample.node]
    return sample.mounted and any(v.holder and node_of_key(v.holder) == own for v in sample.luns.values())


def buckets(attempts: Iterable[Attempt], start: float, end: float, count: int) -> list[Bucket]:
    """Attempts by the time of their end, in `count` equal slices."""
    width = (end - start) / count
    good, bad, slowest = [0] * count, [0] * count, [0.0] * count
    for attempt in attempts:
        if start <= attempt.end < end:
            slot = min(count - 1, int((attempt.end - start) / width))
            if attempt.outcome == "ok":
                good[slot] += 1
                slowest[slot] = max(slowest[slot], attempt.end - attempt.start)
            else:
                bad[slot] += 1
    return [Bucket(start + i * width, start + (i + 1) * width, good[i], bad[i], slowest[i]) for i in range(count)]
