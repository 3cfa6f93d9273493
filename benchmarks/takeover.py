"""What clients see of a move, a database that is killed and a node that crashes, beside the database alone.

The floor is the same database on the same storage at the same address with no cluster software in the way: one node
stops and starts it, or kills and starts it, in one shell command. The same probe measures both.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from holdfast.bench.cluster import Cluster, Measured, Report
from holdfast.bench.figure import Figure, Floor

PURPOSE = "client-seen outage of a move, a killed database and a crashed node, beside the database alone"
NAME = "bench-takeover"
RUNS, QUICK_RUNS = 20, 5
FLOOR_RUNS, QUICK_FLOOR_RUNS = 10, 3
# Aims of the project: a crash below 3 s, a move below 1.5 s.
CRASH_AIM_SECONDS, MOVE_AIM_SECONDS = 3.0, 1.5
PHASES = ("detect", "arbitrate", "preempt", "activate", "database", "address")
DIRECTORY = "/srv/erp/pgdata"
POSTGRES = "/usr/lib/postgresql/17/bin"
START = f"runuser -u postgres -- {POSTGRES}/pg_ctl -D {DIRECTORY} -o '-p 5432' -l /tmp/floor.log -w start >/dev/null"
STOP = f"runuser -u postgres -- {POSTGRES}/pg_ctl -D {DIRECTORY} -m fast -w stop >/dev/null"
POSTMASTER = f"$(head -1 {DIRECTORY}/postmaster.pid)"
# The children see their postmaster die and end; a start before that is refused (shared memory still in use).
KILL = f"kill -9 {POSTMASTER}; while pgrep -u postgres -x postgres >/dev/null; do :; done"


def measure(report: Report, quick: bool) -> list[Figure]:
    runs, floor_runs = (QUICK_RUNS, QUICK_FLOOR_RUNS) if quick else (RUNS, FLOOR_RUNS)
    with tempfile.TemporaryDirectory(prefix="holdfast-bench.") as directory:
        cluster = Cluster(NAME, Path(directory), report)
        try:
            restart, crash = floors(cluster, floor_runs, report)
            figures = [*scenario(cluster, "move", move, runs, restart, MOVE_AIM_SECONDS, report),
                       *scenario(cluster, "database killed", kill_database, runs, crash, None, report),
                       *scenario(cluster, "node crash", crash_node, runs, crash, CRASH_AIM_SECONDS, report)]
        finally:
            cluster.close()
    return figures


def floors(cluster: Cluster, runs: int, report: Report) -> tuple[Floor, Floor]:
    """Stop and start, and kill and start, on the owner while no agent runs there."""
    owner = cluster.owner()
    measured = Measured(cluster, "floor")
    cluster.run(owner, "systemctl stop holdfast-agent")
    found = {}
    for name, command in (("stopped", f"{STOP}; {START}"), ("killed", f"{KILL}; {START}")):
        found[name] = []
        for number in range(runs):
            report(f"floor: the database alone {name} and started ({number + 1} of {runs})")
            found[name].append(measured.event(lambda command=command: cluster.run(owner, command)))
    outages = measured.outages([*found["stopped"], *found["killed"]])
    cluster.run(owner, "systemctl start holdfast-agent")
    cluster.owner()
    return (Floor("the database alone, stopped and started", statistics.median(outages[:runs])),
            Floor("the database alone, killed and started", statistics.median(outages[runs:])))


def scenario(cluster: Cluster, name: str, happen: Callable[[Cluster, str], None], runs: int, floor: Floor,
             aim: float | None, report: Report) -> list[Figure]:
    """One event again and again; its outage, and the parts that the new owner's agent says it needed."""
    measured = Measured(cluster, name.replace(" ", "-"))
    events, parts = [], []
    for number in range(runs):
        report(f"{name} ({number + 1} of {runs})")
        owner = cluster.owner()
        cluster.run(owner, "holdfastctl forget-failures erp")
        events.append(measured.event(lambda owner=owner: happen(cluster, owner)))
        parts.append(cluster.status(cluster.owner())["last_takeover"])
    outages = measured.outages(events)
    figures = [Figure(name, "s", outages, floor, aim)]
    if name != "database killed":
        figures += [Figure(f"  {name}: {phase}", "s", tuple(part["phases"][phase] for part in parts), floor)
                    for phase in PHASES]
    return figures


def move(cluster: Cluster, owner: str) -> None:
    cluster.run(owner, f"holdfastctl move erp {cluster.other(owner)}")


def kill_database(cluster: Cluster, owner: str) -> None:
    cluster.run(owner, f"kill -9 {POSTMASTER}")


def crash_node(cluster: Cluster, owner: str) -> None:
    """Its power is cut and comes back at once: the machine boots while the other node takes over."""
    cluster.lab.node(owner).power_cycle()

