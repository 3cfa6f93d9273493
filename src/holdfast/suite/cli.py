"""`holdfast test`: run the gates, show each one's result, end with one summary line."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.host_packages import install_packages
from holdfast.lab.command import environment
from holdfast.lab.errors import LabError, UsageError
from holdfast.progress import Progress
from holdfast.suite.stages import ROOT, Stage, all_stages

LOGS = ROOT / "build" / "test"
REQUIREMENTS = ROOT / "requirements-test.txt"
SHOWN_LINES = 40  # of a failed stage's log


@dataclass(frozen=True)
class Outcome:
    """How many checks of a stage passed and failed. A stage that could not run counts as one failed check."""

    passed: int
    failed: int
    seconds: float


def add_arguments(areas: Any) -> None:
    parser = areas.add_parser("test", help="run all checks of this checkout", description="Run all checks of this checkout.")
    parser.add_argument("--quick", action="store_true", help="only those that need no nodes (under 3 minutes)")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this stage; may be given more than once")
    parser.add_argument("--list", action="store_true", help="show the stages and end")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    stages = chosen(all_stages(), arguments.quick, arguments.only or [])
    if arguments.list:
        for stage in stages:
            print(f"{stage.name:<14}{stage.purpose}")
        return 0
    prepare(stages)
    outcomes = [run_stage(stage) for stage in stages]
    passed, failed = sum(o.passed for o in outcomes), sum(o.failed for o in outcomes)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def chosen(stages: list[Stage], quick: bool, only: list[str]) -> list[Stage]:
    known = [stage.name for stage in stages]
    if unknown := [name for name in only if name not in known]:
        raise UsageError(f"there is no stage '{unknown[0]}'; there are {', '.join(known)}")
    return [stage for stage in stages if (not only or stage.name in only) and (stage.quick or not quick)]


def prepare(stages: list[Stage]) -> None:
    """Install what the stages need: pinned Python tools into the environment, Debian packages on this machine."""
    with Progress("test") as report:
        marker = Path(sys.prefix) / ".holdfast-test"
        wanted = REQUIREMENTS.read_text()
        if not marker.exists() or marker.read_text() != wanted:
            report("installing the test tools into the Python environment (once)")
            done = subprocess.run(
                [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(REQUIREMENTS)],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise LabError(f"pip could not install {REQUIREMENTS.name}: {done.stderr.strip().splitlines()[-1:]}")
            marker.write_text(wanted)
        needed = sorted({package for stage in stages for package in stage.packages})
        install_packages([package for package in needed if not is_installed(package)], report)


def is_installed(package: str) -> bool:
    done = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Abbrev}", package], capture_output=True, text=True, check=False)
    return done.stdout.startswith("ii")


def run_stage(stage: Stage) -> Outcome:
    """Run one stage with its output in a file; what failed is shown."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log, junit = LOGS / f"{stage.name}.log", LOGS / f"{stage.name}.xml"
    junit.unlink(missing_ok=True)
    argv = [*stage.argv, *([f"--junit-xml={junit}"] if stage.pytest else [])]
    started = time.monotonic()
    with Progress(stage.name) as report, log.open("w") as handle:
        report(stage.purpose)
        try:
            code = subprocess.run(
                argv,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=handle,
                stderr=subprocess.STDOUT,
                timeout=stage.timeout_seconds,
                env=environment(**dict(stage.environment)),
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            handle.write(f"\nnot done within {stage.timeout_seconds:.0f} s\n")
            code = -1
    outcome = judge(code, junit if stage.pytest else None, log, time.monotonic() - started)
    if outcome.failed:
        print("\n".join(f"  {line}" for line in log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]))
    print(f"{stage.name:<14}{outcome.passed:>6} passed {outcome.failed:>4} failed {outcome.seconds:>8.1f} s", flush=True)
    return outcome


def judge(code: int, junit: Path | None, log: Path, seconds: float) -> Outcome:
    """Counts from the tests' own report where there is one. A skipped test counts as failed: it proved nothing."""
    if junit is None:
        counted = re.search(r"^(\d+) passed, (\d+) failed$", log.read_text(errors="replace"), re.MULTILINE)
        passed, failed = (int(counted[1]), int(counted[2])) if counted else (int(code == 0), 0)
        return Outcome(passed, max(failed, int(code != 0)), seconds)
    try:
        suite = next(ET.parse(junit).getroot().iter("testsuite"))
    except (OSError, ET.ParseError, StopIteration):
        return Outcome(0, 1, seconds)
    bad = sum(int(suite.get(key, 0)) for key in ("failures", "errors", "skipped"))
    passed = int(suite.get("tests", 0)) - bad
    return Outcome(passed, max(bad, int(code != 0)), seconds)
