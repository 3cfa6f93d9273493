"""Run one stage: output into a file, a deadline for all that it starts, and a word now and then on how far it is."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from holdfast.lab.command import environment
from holdfast.progress import Progress
from holdfast.suite.judge import Outcome, judge
from holdfast.suite.stages import ROOT, Stage

LOGS = ROOT / "build" / "test"
SHOWN_LINES = 40              # of a failed stage's log
GRACE_SECONDS = 60.0          # after an interrupt: tests that made labs take them down
LOOK_SECONDS = 0.2
WORD_SECONDS = 60.0           # between two words on how far a stage is
NOT_DONE = -1


def run_stage(stage: Stage) -> Outcome:
    """Run one stage with its output in a file; what failed is shown."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log, junit = LOGS / f"{stage.name}.log", LOGS / f"{stage.name}.xml"
    junit.unlink(missing_ok=True)
    argv = [*stage.argv, *([f"--junit-xml={junit}"] if stage.pytest else [])]
    started = time.monotonic()
    with Progress(stage.name) as report:
        report(stage.purpose)
        code = call(argv, log, stage, report)
    outcome = judge(code, junit if stage.pytest else None, log, time.monotonic() - started)
    if outcome.failed:
        print("\n".join(f"  {line}" for line in log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]))
    print(f"{stage.name:<14}{outcome.passed:>6} passed {outcome.failed:>4} failed {outcome.seconds:>8.1f} s", flush=True)
    return outcome


def call(argv: list[str], log: Path, stage: Stage, report: Callable[[str], None]) -> int:
    """Exit code, or NOT_DONE where the deadline came first or the tool is not there."""
    with log.open("w") as handle:
        try:
            process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=handle, stderr=subprocess.STDOUT,
                                       env=environment(**dict(stage.environment)), process_group=0,
                                       preexec_fn=hear_interrupts)
        except OSError as error:
            handle.write(f"{argv[0]} could not be started: {error.strerror}\n")
            return NOT_DONE
        try:
            if wait(process, stage.timeout_seconds, lambda: report(f"{stage.purpose}{percent(log) if stage.pytest else ''}")):
                return process.returncode
            handle.write(f"\nnot done within {stage.timeout_seconds:.0f} s\n")
            return NOT_DONE
        finally:
            end(process)


def hear_interrupts() -> None:
    """In the child: a shell starts its background jobs deaf to interrupts, and theirs would be deaf as well."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait(process: subprocess.Popen[bytes], seconds: float, say: Callable[[], None]) -> bool:
    """Whether the process ended by itself in time."""
    started = said = time.monotonic()
    while (now := time.monotonic()) < started + seconds:
        try:
            process.wait(LOOK_SECONDS)
            return True
        except subprocess.TimeoutExpired:
            if now - said >= WORD_SECONDS:
                said = now
                say()
    return False


def percent(log: Path) -> str:
    """How far pytest says that it is. Molecule calls it for each step anew, so that its percentages say nothing of the stage."""
    told = re.findall(r"\[ *(\d+)%\]", log.read_text(errors="replace"))
    return f": {told[-1]} %" if told else ""


def end(process: subprocess.Popen[bytes]) -> None:
    """Interrupt what still runs of the stage, so that it tidies up; after the grace it is killed with all its children."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
