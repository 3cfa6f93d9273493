#!/usr/bin/env python3
"""Check the ownership model with spin: every property must hold, every mutation must be caught.

    model/check.py [--only NAME ...] [--skip NAME ...] [--list] [--seconds N]

One line per check with its state count; ends with "N passed, N failed" and exit code 0 only when nothing failed.
A search that was cut short (depth, memory, time) proves nothing and is never a pass, neither for a property nor for a
mutation. Needs spin and gcc; runs on one core, bounded in CPU time and memory per check.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

MODEL = Path(__file__).with_name("ownership.pml")
MEMORY_MIB = 3000
DEPTH = 1_000_000


class Kind(StrEnum):
    """What spin looks for."""

    SAFETY = "safety"
    """Assertions in every reachable state."""
    FINAL = "final"
    """Assertions, with the final state checked by the model's own monitor."""
    LIVELOCK = "livelock"
    """Cycles: a run that never comes to rest (the faults have budgets, so a healthy system must)."""


@dataclass(frozen=True)
class Check:
    """One run of spin. `holds` False: a guard was removed, so an error must be found."""

    name: str
    defines: str
    kind: Kind = Kind.SAFETY
    holds: bool = True


CHECKS = (
    Check("one writer: crash, returned path", "-DCRASHES=1 -DRETURNS=1"),
    Check("one writer: path loss, stop", "-DPATHS=1 -DSTOPS=1"),
    Check("one writer: crash, stop", "-DCRASHES=1 -DSTOPS=1"),
    Check("one writer: array restart with keys, stop", "-DARRAYS=1 -DSTOPS=1 -DRETURNS=1"),
    Check("one writer: array restart without keys", "-DCLEARS=1 -DRETURNS=1"),
    Check("one writer, 3 nodes: stop", "-DN=3 -DSTOPS=1"),
    Check("one writer, 3 nodes: crash", "-DN=3 -DPROGRESS -DCRASHES=1"),
    Check("one writer, 3 nodes: freeze", "-DN=3 -DPROGRESS -DFREEZES=1"),
    Check("healthy owner stays: crash", "-DSTAY -DCRASHES=1"),
    Check("healthy owner stays: freeze", "-DSTAY -DFREEZES=1"),
    Check("healthy owner stays: isolation", "-DSTAY -DWITS=1"),
    Check("healthy owner stays: detached", "-DSTAY -DDETACHES=1"),
    Check("healthy owner stays, 3 nodes: heartbeat cut", "-DN=3 -DSTAY -DPROGRESS -DHBCUTS=1"),
    Check("healthy owner stays, 3 nodes: heartbeat cut, freeze", "-DN=3 -DSTAY -DPROGRESS -DHBCUTS=1 -DFREEZES=1"),
    Check("ends owned: crash, freeze", "-DPROGRESS -DCRASHES=1 -DFREEZES=1", Kind.FINAL),
    Check("ends owned: heartbeat cut, isolation", "-DPROGRESS -DHBCUTS=1 -DWITS=1", Kind.FINAL),
    Check("ends owned: heartbeat cut, crash", "-DPROGRESS -DHBCUTS=1 -DCRASHES=1", Kind.FINAL),
    Check("ends owned: path loss, array restart without keys", "-DPROGRESS -DPATHS=1 -DCLEARS=1", Kind.FINAL),
    Check("ends owned: crash, array restart with keys", "-DPROGRESS -DCRASHES=1 -DARRAYS=1", Kind.FINAL),
    Check("ends owned, 3 nodes: crash", "-DN=3 -DPROGRESS -DCRASHES=1", Kind.FINAL),
    Check("comes to rest: heartbeat cut", "-DPROGRESS -DSTAY -DHBCUTS=1", Kind.LIVELOCK),
    Check("comes to rest: heartbeat cut, crash", "-DPROGRESS -DSTAY -DHBCUTS=1 -DCRASHES=1", Kind.LIVELOCK),
    Check("comes to rest: heartbeat cut, isolation", "-DPROGRESS -DSTAY -DHBCUTS=1 -DWITS=1", Kind.LIVELOCK),
    Check("comes to rest: isolation, path loss", "-DPROGRESS -DSTAY -DWITS=1 -DPATHS=1", Kind.LIVELOCK),
)
MUTATIONS = (
    Check("no look at lock and data before the mount", "-DM_NO_VERIFY", holds=False),
    Check("lock LUN not read after registering on data", "-DM_NO_LOCK_CHECK", holds=False),
    Check("other keys not preempted from data LUNs", "-DM_NO_DATA_PREEMPT", holds=False),
    Check("data LUNs not reserved", "-DM_NO_RESERVE_DATA", holds=False),
    Check("preempts after a registration without a look", "-DSTAY -DFREEZES=1 -DM_SWEEP_UNSEEN", holds=False),
    Check("writes not suspended during a repair", "-DM_NO_SUSPEND -DRETURNS=1", holds=False),
    Check("repair resumes without reading the lock", "-DM_REPAIR_WITHOUT_VERIFY -DRETURNS=1", holds=False),
    Check("challenger registers on data LUNs", "-DM_CHALLENGER_ON_DATA", holds=False),
    Check("keys released before the unmount", "-DM_RELEASE_FIRST -DSTOPS=1", holds=False),
    Check("reservation of data dropped beside a node that sleeps", "-DM_RESERVATION_DROPPED -DSTOPS=1", holds=False),
    Check("no wait W", "-DSTAY -DM_NO_WAIT", holds=False),
    Check("owner does not defend", "-DSTAY -DM_NO_DEFEND", holds=False),
    Check("note of detachment ignored", "-DSTAY -DDETACHES=1 -DM_NO_STANDOFF", holds=False),
    Check("isolated owner defends", "-DPROGRESS -DSTAY -DHBCUTS=1 -DWITS=1 -DM_ISOLATED_DEFENDS", Kind.LIVELOCK, holds=False),
    Check("evidence is never spent", "-DPROGRESS -DSTAY -DHBCUTS=1 -DM_NO_SPENT", Kind.LIVELOCK, holds=False),
)
_CUT_SHORT = ("max search depth too small", "out of memory", "reached -DMEMLIM", "hash conflict: aborting")


@dataclass(frozen=True)
class Result:
    """Outcome of one run: the error text ("" for none), the states, and why the search was cut short, if it was."""

    error: str
    states: int
    cut_short: str


def run_check(check: Check, directory: Path, seconds: int) -> Result:
    """Generate, compile and run one check in a directory of its own."""
    shutil.copy(MODEL, directory)
    subprocess.run(["spin", "-a", *check.defines.split(), MODEL.name], cwd=directory, check=True, capture_output=True)
    mode = ["-DNP"] if check.kind is Kind.LIVELOCK else ["-DSAFETY", "-DNOREDUCE"]
    compile_command = [os.environ.get("CC", "gcc"), "-O0", "-w", *mode, f"-DMEMLIM={MEMORY_MIB}", "-o", "pan", "pan.c"]
    subprocess.run(compile_command, cwd=directory, check=True, capture_output=True)
    options = ["-l"] if check.kind is Kind.LIVELOCK else ["-E"]
    command = ["./pan", f"-m{DEPTH}", "-w20", *options]
    return read_output(_run_bounded(command, directory, seconds))


def _run_bounded(command: list[str], directory: Path, seconds: int) -> str:
    """Run with a limit of CPU seconds (wall time would punish a busy machine); the limit is noted in the output."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))

    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, preexec_fn=limit, check=False)
    return done.stdout + (f"\ncut short: exit status {done.returncode}" if done.returncode < 0 else "")


def read_output(output: str) -> Result:
    """Parse what pan printed. No state count or no error count is a search that did not end."""
    states = re.search(r"([0-9.e+]+) states, stored", output)
    errors = re.search(r"errors: (\d+)", output)
    found = re.search(r"pan:1: (.*?)( \(at depth|$)", output, re.MULTILINE)
    cut_short = next((text for text in (*_CUT_SHORT, "cut short") if text in output), "")
    if states is None or errors is None:
        cut_short = cut_short or "no result"
    error = "" if errors is None or errors[1] == "0" else (found[1] if found else "error")
    return Result(error, int(float(states[1])) if states else 0, cut_short)


def verdict(check: Check, result: Result) -> tuple[bool, str]:
    """Did it end as it must? An error that was found counts even if the search was limited; silence does not."""
    if result.error:
        if "depth too" in result.error or "memory" in result.error:
            return False, f"cut short: {result.error}"
        return not check.holds, f"error found: {result.error}"
    if result.cut_short:
        return False, f"cut short ({result.cut_short}): proves nothing"
    return check.holds, "holds" if check.holds else "not caught"


def _is_chosen(name: str, only: list[str] | None, skip: list[str]) -> bool:
    return (not only or any(text in name for text in only)) and not any(text in name for text in skip)


def main() -> int:
    """Run the chosen checks; 0 when all ended as they must."""
    parser = argparse.ArgumentParser(description="check the ownership model with spin")
    parser.add_argument("--only", action="append", help="run checks whose name contains this")
    parser.add_argument("--skip", action="append", default=[], help="leave out checks whose name contains this")
    parser.add_argument("--list", action="store_true", help="print the names")
    parser.add_argument("--seconds", type=int, default=60, help="CPU seconds per check")
    options = parser.parse_args()
    chosen = [c for c in (*CHECKS, *MUTATIONS) if _is_chosen(c.name, options.only, options.skip)]
    if options.list:
        print("\n".join(c.name for c in chosen))
        return 0
    missing = [tool for tool in ("spin", "gcc") if shutil.which(tool) is None]
    if missing or not chosen:
        print(f"missing: {', '.join(missing)}" if missing else "no such check")
        return 2
    failed = 0
    for check in chosen:
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as directory:
            result = run_check(check, Path(directory), options.seconds)
        good, text = verdict(check, result)
        failed += not good
        kind = "property" if check.holds else "mutation"
        seconds = time.monotonic() - started
        mark = "PASS" if good else "FAIL"
        print(f"{mark} {kind} {check.name}: {text}, {result.states} states, {seconds:.1f} s", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
