"""One package: a planned move, a killed database and a crashed node, beside the database alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from holdfast.bench.cluster import PACKAGE, Cluster, LabCluster, Report
from holdfast.bench.database import ERP, measure_floors
from holdfast.bench.figure import Figure, Floor
from holdfast.bench.measured import run_series

RUNS, QUICK_RUNS = 20, 5
FLOOR_RUNS, QUICK_FLOOR_RUNS = 10, 3
# Aims of the project: a crash below 3 s, a move below 1.5 s.
CRASH_AIM_SECONDS, MOVE_AIM_SECONDS = 3.0, 1.5
PHASES = ("detect", "arbitrate", "preempt", "activate", "database", "address")


def measure(kind: type[LabCluster], name: str, report: Report, quick: bool, *, prefix: str = "",
            aimed: bool = True) -> list[Figure]:
    """The same with every kind of cluster; only Holdfast's has aims, and an agent that tells how long each phase took."""
    runs, floor_runs = (QUICK_RUNS, QUICK_FLOOR_RUNS) if quick else (RUNS, FLOOR_RUNS)
    with kind.built(name, report) as cluster:
        restart, crash = measure_floors(cluster, floor_runs, report, {PACKAGE: ERP})
        scenarios: list[tuple[str, Callable[[str], object], Floor, float | None]] = [
            ("move", cluster.move, restart, MOVE_AIM_SECONDS),
            ("database killed", partial(kill_database, cluster), crash, None),
            ("node crash", cluster.crash, crash, CRASH_AIM_SECONDS),
        ]
        figures = []
        for scenario, happen, floor, aim in scenarios:
            parts = Phases(cluster)
            series = run_series(cluster, f"{prefix}{scenario}", happen, runs, report, afterwards=parts.note)
            figures.append(Figure(f"{prefix}{scenario}", "s", series.outages(), floor, aim if aimed else None))
            if scenario != "database killed":
                figures += parts.figures(scenario, floor)
    return figures


class Phases:
    """What the new owner's agent says of each takeover; nothing where there is no agent of ours."""

    def __init__(self, cluster: LabCluster) -> None:
        self.cluster = cluster
        self.found: list[dict[str, float]] = []

    def note(self, owner: str) -> None:
        if isinstance(self.cluster, Cluster):
            self.found.append(self.cluster.statuses(owner)[PACKAGE]["last_takeover"]["phases"])

    def figures(self, scenario: str, floor: Floor) -> list[Figure]:
        if not self.found:
            return []
        return [Figure(f"  {scenario}: {phase}", "s", tuple(phases[phase] for phases in self.found), floor)
                for phase in PHASES]


def kill_database(cluster: LabCluster, owner: str) -> None:
    cluster.run(owner, ERP.kill)
