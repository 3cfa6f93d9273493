"""The floor under every takeover: the same database on the same storage at the same address with nobody watching it.

One node stops and starts it, or kills and starts it, in one shell command, while the cluster software leaves it alone.
"""

from __future__ import annotations

import statistics
from functools import partial

from holdfast.bench.cluster import LabCluster, Report
from holdfast.bench.figure import Floor
from holdfast.bench.measured import Measured

DIRECTORY = "/srv/erp/pgdata"
POSTGRES = "/usr/lib/postgresql/17/bin"
START = f"runuser -u postgres -- {POSTGRES}/pg_ctl -D {DIRECTORY} -o '-p 5432' -l /tmp/floor.log -w start >/dev/null"
STOP = f"runuser -u postgres -- {POSTGRES}/pg_ctl -D {DIRECTORY} -m fast -w stop >/dev/null"
POSTMASTER = f"$(head -1 {DIRECTORY}/postmaster.pid)"
KILL = f"kill -9 {POSTMASTER}"
# The children see their postmaster die and end; a start before that is refused (shared memory still in use).
WAIT = "while pgrep -u postgres -x postgres >/dev/null; do :; done"


def measure_floors(cluster: LabCluster, runs: int, report: Report) -> tuple[Floor, Floor]:
    """Stopped and started, and killed and started, on the owner."""
    owner = cluster.owner()
    measured = Measured(cluster, "floor")
    cluster.leave_alone(owner)
    events = []
    for name, command in (("stopped", f"{STOP}; {START}"), ("killed", f"{KILL}; {WAIT}; {START}")):
        for number in range(runs):
            report(f"floor: the database alone {name} and started ({number + 1} of {runs})")
            events.append(measured.event(partial(cluster.run, owner, command)))
    outages = measured.end(events).outages()
    cluster.watch_again(owner)
    cluster.owner()
    return (Floor("the database alone, stopped and started", statistics.median(outages[:runs])),
            Floor("the database alone, killed and started", statistics.median(outages[runs:])))
