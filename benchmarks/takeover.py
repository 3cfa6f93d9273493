"""What clients see of a planned move, a killed database and a crashed node, with Holdfast and with what else there is.

Each part builds a lab of its own and deletes it. All parts use the drills' probe, and each has its floor from its own lab.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.peers.pacemaker.cluster import PacemakerCluster
from benchmarks.takeover_parts import eight, pooler, single
from holdfast.bench.cluster import Cluster, Report
from holdfast.bench.figure import Figure, Floor

PURPOSE = "client-seen outage of a move, a killed database and a crashed node; beside Pacemaker; 8 packages; behind a pooler"
NAME = "bench-takeover"
PARTS = {
    "holdfast": "one package with Holdfast, beside the database alone",
    "pacemaker": "the same package, storage and faults with Pacemaker",
    "eight": "eight packages on the node, beside one alone",
    "pooler": "planned moves with clients behind the pooler, beside clients that connect directly",
}
PACEMAKER = "pacemaker: "


def measure(report: Report, quick: bool, parts: tuple[str, ...]) -> Iterator[Figure]:
    """Figures part by part, so that one that breaks off takes none of those before it along."""
    measures: dict[str, Callable[[], list[Figure]]] = {
        "holdfast": lambda: single.measure(Cluster, NAME, report, quick),
        "pacemaker": lambda: single.measure(PacemakerCluster, NAME, report, quick, prefix=PACEMAKER, aimed=False),
        "eight": lambda: eight.measure(NAME, report, quick),
        "pooler": lambda: pooler.measure(NAME, report, quick),
    }
    figures = []
    for part in (part for part in PARTS if part in parts):
        made = measures[part]()
        yield from made
        figures += made
    yield from beside_pacemaker(figures)


def beside_pacemaker(figures: list[Figure]) -> list[Figure]:
    """Holdfast's figures again, with Pacemaker's median in the place of the floor: the ratio is Holdfast / Pacemaker."""
    pacemaker = {figure.name.removeprefix(PACEMAKER): figure for figure in figures if figure.name.startswith(PACEMAKER)}
    return [Figure(f"holdfast / pacemaker: {figure.name}", figure.unit, figure.samples,
                   Floor("Pacemaker's median", pacemaker[figure.name].value))
            for figure in figures if figure.name in pacemaker]
