"""The drills' own probe on a cluster while the same event happens again and again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from holdfast.bench.cluster import PACKAGE, SERVICE_SECONDS, LabCluster, Report
from holdfast.drill.conditions import SERVED_WITHIN_SECONDS
from holdfast.drill.observers import PROBE_FOLDER, PROBE_UNIT, WRITERS, Probe
from holdfast.drill.verdict.history import Attempt
from holdfast.drill.verdict.outage import longest_gaps
from holdfast.lab.errors import LabError
from holdfast.lab.wait import wait_for

CALM_SECONDS = 2.0            # without an error, before the next event


@dataclass(frozen=True)
class Series:
    """When the event happened each time (wall clock), and what the clients of each package saw."""

    events: tuple[float, ...]
    attempts: dict[str, list[Attempt]]

    def outages(self, package: str = PACKAGE) -> tuple[float, ...]:
        """Seconds of each event, in order. LabError where nothing was measured."""
        return outages_of(self.attempts[package], self.events)

    def failed(self, package: str = PACKAGE) -> tuple[int, ...]:
        """Transactions that did not succeed, of each event."""
        return failures_of(self.attempts[package], self.events)


class Measured:
    """A probe for each package that clients use."""

    def __init__(self, cluster: LabCluster, name: str, through: str = "address") -> None:
        self.cluster = cluster
        views = cluster.views
        client = cluster.site.view.clients[0]
        self.probes = {p: Probe(cluster.site.shell, view, client, name, through) for p, view in views.items()}
        for package, probe in self.probes.items():
            if cluster.single_writer:
                probe.writers, probe.readers = WRITERS[:1], ()
                probe.place(f"{PROBE_FOLDER}-{package}", f"{PROBE_UNIT}-{package}")
        owner = cluster.owner()
        for probe in self.probes.values():
            probe.install(cluster.modules)
            probe.prepare(owner)
            probe.start()
        self.calm()

    def calm(self) -> None:
        """Wait until all clients have been served for a while. Counted since the wait began: clients that hang had no error yet,
        and their last success was the old server's."""
        begun = time.monotonic()

        def served() -> bool | None:
            for package, probe in self.probes.items():
                waits = probe.status.get("waits", {})
                calm = min(time.monotonic() - begun, probe.calm_seconds)
                if max(waits.values(), default=SERVICE_SECONDS) > SERVED_WITHIN_SECONDS or calm < CALM_SECONDS:
                    raise LabError(f"{package}: served {waits} s ago, no error for {calm:.1f} s, "
                                   f"last error: {probe.status.get('broken') or probe.status.get('last_error') or 'none'}")
            return True

        wait_for("clients are served", served, timeout_seconds=SERVICE_SECONDS)

    def event(self, happen: Callable[[], object]) -> float:
        """Let something happen and wait until clients are served again; returns when it began (wall clock)."""
        begun = time.time()
        happen()
        time.sleep(1.0)       # the probe's status is read twice a second: errors of the event are in it by then
        self.calm()
        return begun

    def end(self, events: Iterable[float]) -> Series:
        """End the probes; what they saw."""
        records = {}
        for package, probe in self.probes.items():
            records[package] = [read_attempt(json.loads(line)) for line in probe.stop().splitlines()]
            probe.remove()
        return Series(tuple(events), records)


def run_series(cluster: LabCluster, name: str, happen: Callable[[str], object], runs: int, report: Report, *,
               through: str = "address", afterwards: Callable[[str], object] = lambda owner: None) -> Series:
    """`happen` gets the owner each time, `afterwards` the owner that came of it."""
    measured = Measured(cluster, name.replace(" ", "-"), through)
    events = []
    for number in range(runs):
        report(f"{name} ({number + 1} of {runs})")
        owner = cluster.owner()
        cluster.prepare(owner)
        events.append(measured.event(partial(happen, owner)))
        cluster.bring_back()
        afterwards(cluster.owner())
    return measured.end(events)


def read_attempt(line: dict[str, Any]) -> Attempt:
    """The clients and this process read the same clock: a lab's nodes run on this machine's."""
    start = line["t_wall"]
    return Attempt(line["worker"], line["role"], line["seq"], line["rows"], start, start + line["seconds"], line["outcome"])


def outages_of(attempts: list[Attempt], events: Iterable[float]) -> tuple[float, ...]:
    """Longest time without success of the worst writer, per event, looked for until the next event."""
    found = []
    for begun, end in spans(attempts, events):
        gaps = longest_gaps([a for a in attempts if a.end <= end], begun, end)
        seconds = [gap.seconds for gap in gaps.values() if gap is not None and gap.recovered]
        if not seconds:
            raise LabError("the probe measured nothing around an event")
        found.append(max(seconds))
    return tuple(found)


def failures_of(attempts: list[Attempt], events: Iterable[float]) -> tuple[int, ...]:
    """Transactions that failed or whose outcome is unknown, per event, until the next event."""
    return tuple(sum(a.outcome != "ok" for a in attempts if begun < a.end <= end) for begun, end in spans(attempts, events))


def spans(attempts: list[Attempt], events: Iterable[float]) -> list[tuple[float, float]]:
    """From each event to the next one, the last to the end of the record."""
    if not attempts:
        raise LabError("the probe measured nothing")
    begins = list(events)
    return list(zip(begins, [*begins[1:], max(a.end for a in attempts)], strict=True))
