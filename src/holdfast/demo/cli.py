"""The demonstration: lab, cluster, package, a planned move and a crash under write load, and what came of them."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.alone import alone
from holdfast.demo.playbook import run_playbook
from holdfast.lab.command import environment
from holdfast.lab.errors import LabError
from holdfast.lab.host import install_missing
from holdfast.lab.lab import Lab
from holdfast.lab.paths import state_directory
from holdfast.lab.topology import load_topology
from holdfast.progress import Progress

NAME = "demo"
DRILLS = ("switchover", "owner_crash")
DRILL_SECONDS = 600
BUSY = "another `holdfast demo` of this user is running; wait for its end"


@dataclass(frozen=True)
class Result:
    """What one drill found."""

    drill: str
    verdict: str
    outage_seconds: float | None
    limit_seconds: float | None
    lost: str
    report: Path

    def sentence(self) -> str:
        outage = "not measured" if self.outage_seconds is None else f"{self.outage_seconds:.2f} s"
        limit = "" if self.limit_seconds is None else f" (allowed {self.limit_seconds:g} s)"
        return f"{self.verdict:<8}{self.drill:<12} clients waited {outage}{limit}; {self.lost}"


def add_arguments(areas: Any) -> None:
    parser = areas.add_parser("demo", help="a cluster, two drills and their reports, from nothing",
                              description="Sets up everything on this machine, builds a cluster of real nodes, moves its "
                              "database on purpose and crashes its node, and shows what the clients noticed.")
    parser.add_argument("--keep", action="store_true", help="leave the lab running (its name is 'demo')")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit code 0 when both drills passed, 1 when one failed, 2 when one could not be judged."""
    logs = state_directory() / "demo"
    with alone(logs, BUSY):
        return show(arguments, logs)


def show(arguments: argparse.Namespace, logs: Path) -> int:
    """Everything from the missing packages to the summary; a lab that was started here is down afterwards, however it ends."""
    started = time.monotonic()
    lab = Lab(NAME)
    stays = arguments.keep or lab.runs     # one that was kept, or that somebody works in, is not ended by another demo
    try:
        with Progress("demo") as report:
            install_missing(qemu=False, report=report)
            lab.up(load_topology("default"), report=report)
            for playbook in ("build_cluster", "deploy_packages"):
                run_playbook(playbook, NAME, logs / f"{playbook}.log", report)
            results = [_drill(name, logs, report) for name in DRILLS]
    finally:
        if not stays and lab.runs:
            lab.down()
    _print_summary(results, time.monotonic() - started, stays)
    verdicts = {result.verdict for result in results}
    return 1 if "FAIL" in verdicts else 2 if verdicts != {"PASS"} else 0


def _drill(name: str, logs: Path, report: Any) -> Result:
    """Run one drill through the command line, as an operator would."""
    report(f"drill {name}: under write load from client1")
    evidence = logs / "evidence"
    before = set(evidence.glob("*"))
    done = subprocess.run([sys.executable, "-m", "holdfast", "drill", "run", name, "--lab", NAME, "--plain",
                           "--evidence", str(evidence)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=DRILL_SECONDS, env=environment(), check=False)
    (logs / f"{name}.log").write_text(done.stdout + done.stderr)
    new = [folder for folder in set(evidence.glob("*")) - before if (folder / "verdict.json").exists()]
    if not new:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no message"]
        raise LabError(f"the drill {name} left no verdict: {last[0]} (all of it: {logs / f'{name}.log'})")
    return read_result(new[0])


def read_result(folder: Path) -> Result:
    """From the drill's own verdict.json."""
    verdict = json.loads((folder / "verdict.json").read_text())
    rows = next((check["summary"] for check in verdict["checks"] if check["name"] == "acknowledged"), "rows not checked")
    return Result(verdict["runbook"], verdict["verdict"], verdict["outage_seconds"], verdict["outage_limit_seconds"], rows,
                  folder / "report.html")


def _print_summary(results: list[Result], seconds: float, stays: bool) -> None:
    print(f"Built a two-node cluster with shared storage and PostgreSQL, and drilled it, in {seconds / 60:.1f} minutes.")
    for result in results:
        print(result.sentence())
    print("Reports: " + "\n         ".join(str(result.report) for result in results))
    print("The lab 'demo' still runs; look around: ./holdfast lab ssh --name demo node1" if stays else
          "The lab is stopped; run again with --keep to look around in it.")
