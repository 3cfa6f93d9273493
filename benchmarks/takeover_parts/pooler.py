"""Planned moves with clients behind the pooler: a delay and no failed transaction.

The floor is the same move of the same package in the same lab as clients see it that connect to the address themselves.
"""

from __future__ import annotations

import statistics

from holdfast.bench.cluster import PACKAGE, Cluster, Report
from holdfast.bench.figure import Figure, Floor
from holdfast.bench.measured import Series, run_series
from holdfast.lab.wait import wait_for

RUNS, QUICK_RUNS = 20, 5
READY_SECONDS = 60.0


class PooledCluster(Cluster):
    """Settled only when the poolers know the owner as well: a move before that is refused."""

    def owner(self) -> str:
        owner = super().owner()

        def ready() -> bool | None:
            poolers = self.statuses(owner).get(PACKAGE, {}).get("poolers", {})
            return (bool(poolers) and all(pooler["ready"] for pooler in poolers.values())) or None

        wait_for("the poolers follow the owner", ready, timeout_seconds=READY_SECONDS)
        return owner


def measure(name: str, report: Report, quick: bool) -> list[Figure]:
    runs = QUICK_RUNS if quick else RUNS
    with PooledCluster.built(name, report) as cluster:
        direct = run_series(cluster, "move without the pooler", cluster.move, runs, report)
        pooled = run_series(cluster, "move behind the pooler", cluster.move, runs, report, through="pooler")
    return compare(direct, pooled)


def compare(direct: Series, pooled: Series) -> list[Figure]:
    """Failed transactions are added up: one in any of the moves misses the aim."""
    return [
        Figure(f"pooler: transactions that failed in {len(pooled.events)} moves", "", (float(sum(pooled.failed())),),
               Floor("the same without the pooler", float(sum(direct.failed()))), aim=0),
        Figure("pooler: longest delay of a move", "s", pooled.outages(),
               Floor("outage without the pooler", statistics.median(direct.outages()))),
    ]  # fmt: skip
