"""The drill itself: what it costs beyond its fault and its waits, how finely the probe measures, and what that costs.

Needs a cluster that is built: the lab named in HOLDFAST_LAB, as `holdfast demo --keep` or the playbooks leave it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from holdfast.bench.figure import Figure, Floor
from holdfast.drill.hosts import SshShell
from holdfast.drill.launch import PROJECT
from holdfast.drill.observers import PROBE_UNIT, Observers, Probe
from holdfast.drill.site import Site, find_owner, open_site
from holdfast.drill.verdict.history import Attempt, History
from holdfast.drill.verdict.load import load_history
from holdfast.drill.verdict.outage import resolution
from holdfast.lab.command import environment
from holdfast.lab.errors import UsageError

PURPOSE = "a drill beyond its fault and waits; resolution and cost of the probe"
DRILLS = ("heartbeat_cut", "switchover")
WATCHED_SECONDS = 20.0
CLIENT_LINK = "client"  # the lab's name of it
# PASS, FAIL and UNKNOWN: what a drill costs does not depend on what came of it.
EXPECTED_CODES = (0, 1, 2)
# Clock ticks of programs that were given on standard input, found by their words in the process list (proc(5)).
TICKS = "for p in $(pgrep -f 'python3 -u - {words}'); do awk '{{print $14 + $15}}' /proc/$p/stat; done; getconf CLK_TCK"
AGENT_UNIT = "holdfast-agent"
Report = Callable[[str], None]


@dataclass(frozen=True)
class Cost:
    """Share of one processor, in per cent, over the same time."""

    probe: float
    watcher: float
    observer: float
    agent: float
    attempts_per_second: float


def measure(report: Report, quick: bool) -> list[Figure]:
    lab = os.environ.get("HOLDFAST_LAB")
    if not lab:
        raise UsageError("name a lab with a built cluster: HOLDFAST_LAB=demo, after ./holdfast demo --keep")
    with tempfile.TemporaryDirectory(prefix="holdfast-bench.") as directory:
        histories = [drill(name, lab, Path(directory), report) for name in (DRILLS[:1] if quick else DRILLS)]
        site = open_site(PROJECT, PROJECT / "inventories" / "lab", None)
        cost = watch(site, Path(directory), report)
    return [*overhead(histories), *probe_figures(histories, cost)]


def drill(name: str, lab: str, directory: Path, report: Report) -> History:
    """One drill through the command line; its records."""
    report(f"drill {name}")
    evidence = directory / name
    argv = [sys.executable, "-m", "holdfast", "drill", "run", name, "--lab", lab, "--plain", "--evidence", str(evidence)]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment(), check=False)
    found = list(evidence.glob("*Z-*"))
    if done.returncode not in EXPECTED_CODES or not found:
        raise UsageError(f"the drill {name} did not run: {(done.stderr or done.stdout).strip()[-300:]}")
    return load_history(found[0])


def overhead(histories: list[History]) -> list[Figure]:
    """Whole drill less its act. The floor is what no drill can do without: the calm before and the way home."""
    found = []
    for history in histories:
        name = str(history.run["runbook"])
        seconds = {phase.name: phase.ended - phase.started for phase in history.phases}
        whole = float(history.run["ended"]) - float(history.run["started"])
        needed = Floor("calm before the act and the way home", steps(history, "clients are served", "package is back"))
        found.append(Figure(f"{name}: beyond its act", "s", (whole - seconds["act"],), needed, aim=60))
        act = Floor("the act", seconds["act"])
        for phase in ("observe", "steady_after", "collect"):
            found.append(Figure(f"{name}: {phase.replace('_', ' ')}", "s", (seconds[phase],), act))
    return found


def steps(history: History, *words: str) -> float:
    return sum(step.ended - step.started for step in history.steps if step.name.startswith(words))


def probe_figures(histories: list[History], cost: Cost) -> list[Figure]:
    fine, latencies, blink = [], [], []
    for history in histories:
        calm = [a for a in history.attempts if history.act_start and a.end <= history.act_start]
        fine.append(1000 * (resolution(calm, history.act_start or 0.0) or 0.0))
        latencies += [1000 * (a.end - a.start) for a in calm if is_single_write(a)]
        blink += [1000 * (b.time - a.time) for a, b in pairwise(history.address_samples)]
    rate = 1000 / cost.attempts_per_second
    return [
        Figure("probe: between two answers of a writer", "ms", tuple(fine), Floor("one transaction", median(latencies)), aim=250),
        Figure("probe: between two attempts of all workers", "ms", (rate,), Floor("one transaction", median(latencies))),
        Figure("who answers for the address: between two questions", "ms", (median(blink),), Floor("as configured", 200.0)),
        Figure("probe: share of a processor of the client", "%", (cost.probe,), Floor("the address watcher", cost.watcher),
               aim=25),
        Figure("observer: share of a processor of a node", "%", (cost.observer,), Floor("the agent", cost.agent), aim=10),
    ]  # fmt: skip


def is_single_write(attempt: Attempt) -> bool:
    return attempt.role == "writer" and attempt.rows == 1 and attempt.outcome == "ok"


def watch(site: Site, directory: Path, report: Report) -> Cost:
    """Probe and observers on a cluster to which nothing happens."""
    report(f"probe and observers at rest, {WATCHED_SECONDS:.0f} s")
    for name in ("samples", "probe"):
        (directory / name).mkdir()
    observers = Observers(site.shell, site.view, directory)
    client, owner = site.view.clients[0], find_owner(site)
    probe = Probe(site.shell, site.view, client, "bench")
    observers.start_nodes()
    probe.prepare(owner)
    probe.start()
    observers.start_address(client, CLIENT_LINK)

    def spent() -> tuple[float, ...]:
        return (unit_time(site.shell, client, PROBE_UNIT), program_time(site.shell, client, CLIENT_LINK),
                program_time(site.shell, owner, "watch"), unit_time(site.shell, owner, AGENT_UNIT),
                done(probe.status))  # fmt: skip

    try:
        time.sleep(5)
        begin, before = time.monotonic(), spent()
        time.sleep(WATCHED_SECONDS)
        after, took = spent(), time.monotonic() - begin
    finally:
        observers.stop()
        probe.stop()
        probe.remove()
    *shares, attempts = ((b - a) / took for a, b in zip(before, after, strict=True))
    return Cost(*(100 * share for share in shares), attempts)


def done(status: Mapping[str, Any]) -> float:
    return float(sum(status.get(word, 0) for word in ("ok", "fail", "indeterminate")))


def unit_time(shell: SshShell, host: str, unit: str) -> float:
    """Processor seconds of a unit (systemd.resource-control(5), CPUAccounting)."""
    return int(shell.succeed(host, ["systemctl", "show", "-P", "CPUUsageNSec", unit])) / 1e9


def program_time(shell: SshShell, host: str, words: str) -> float:
    """Processor seconds of a program that was given on standard input."""
    *ticks, per_second = shell.succeed(host, ["sh", "-c", TICKS.format(words=words)]).split()
    return sum(map(float, ticks)) / int(per_second)
