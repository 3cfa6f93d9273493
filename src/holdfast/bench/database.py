"""The floor under every takeover: the same database on the same storage at the same address with nobody watching it.

One node stops and starts it, or kills and starts it, in one shell command, while the cluster software leaves it alone.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from holdfast.bench.cluster import LabCluster, Report
from holdfast.bench.figure import Floor
from holdfast.bench.measured import Measured

POSTGRES = "/usr/lib/postgresql/17/bin"
# The children see their postmaster die and end; a start before that is refused (shared memory still in use). So is one of several
# at once that finds its old segment looked at by another (agent/holdfast_agent/resources/shared_memory.py).
WAIT = ("while pgrep -u postgres -x postgres >/dev/null; do :; done; "
        "for id in $(awk '$7 == 0 { print $2 }' /proc/sysvipc/shm); do ipcrm -m $id; done")


@dataclass(frozen=True)
class Database:
    """One PostgreSQL on a node, and the shell commands that it is started and ended with."""

    directory: str
    port: int

    @property
    def start(self) -> str:
        return self._control(f"-o '-p {self.port}' -l /tmp/floor-{self.port}.log -w start")

    @property
    def stop(self) -> str:
        return self._control("-m fast -w stop")

    @property
    def kill(self) -> str:
        return f"kill -9 $(head -1 {self.directory}/postmaster.pid)"

    def _control(self, words: str) -> str:
        return f"runuser -u postgres -- {POSTGRES}/pg_ctl -D {self.directory} {words} >/dev/null"


ERP = Database("/srv/erp/pgdata", 5432)


def measure_floors(cluster: LabCluster, runs: int, report: Report, databases: Mapping[str, Database]) -> tuple[Floor, Floor]:
    """Those of these packages stopped and started, and killed and started, all at once on the owner: the worst of each event."""
    owner = cluster.owner()
    measured = Measured(cluster, "floor")
    cluster.leave_alone(owner)
    every = list(databases.values())
    restart = at_once([f"{one.stop}; {one.start}" for one in every])
    crash = f"{'; '.join(one.kill for one in every)}; {WAIT}; {at_once([one.start for one in every])}"
    events = []
    for name, command in (("stopped", restart), ("killed", crash)):
        for number in range(runs):
            report(f"floor: {len(every)} alone {name} and started ({number + 1} of {runs})")
            events.append(measured.event(partial(cluster.run, owner, command)))
    series = measured.end(events)
    cluster.watch_again(owner)
    cluster.owner()
    worst = [max(event) for event in zip(*(series.outages(package) for package in databases), strict=True)]
    what = "the database alone" if len(every) == 1 else f"{len(every)} databases alone"
    return (Floor(f"{what}, stopped and started", statistics.median(worst[:runs])),
            Floor(f"{what}, killed and started", statistics.median(worst[runs:])))


def at_once(commands: list[str]) -> str:
    """One shell command that runs all of them beside each other and waits for the last."""
    return commands[0] if len(commands) == 1 else f"{' '.join(f'({command}) &' for command in commands)} wait"
