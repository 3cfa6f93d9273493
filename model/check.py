#!/usr/bin/env python3
"""Check the ownership model with spin: every property must hold, every mutation must be caught.

    model/check.py [--only NAME ...] [--skip NAME ...] [--list] [--seconds N]

One line per check with its state count; ends with "N passed, N failed" and exit code 0 only when nothing failed.
A search that was cut short (depth, memory, time) proves nothing and is never a pass, neither for a property nor for a
mutation. Needs spin and gcc; runs on every core it may use, bounded in CPU time and memory per check.
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
from concurrent.futures import ThreadPoolExecutor
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
    """One run of spin. `caught_by` not empty: a guard was removed, so exactly this property must be found violated."""

    name: str
    defines: str
    kind: Kind = Kind.SAFETY
    caught_by: str = ""
    """A word of what pan says about the first error: a bit of the model (see `invariants`) or "non-progress cycle"."""

    @property
    def holds(self) -> bool:
        return not self.caught_by


CHECKS = (
    Check("one writer: crash, returned path", "-DCRASHES=1 -DRETURNS=1"),
    Check("one writer: path loss, stop", "-DPATHS=1 -DSTOPS=1"),
    Check("one writer: crash, stop", "-DCRASHES=1 -DSTOPS=1"),
    Check("one writer: array restart with keys, stop", "-DARRAYS=1 -DSTOPS=1 -DRETURNS=1"),
    Check("one writer: array restart without keys", "-DCLEARS=1 -DRETURNS=1"),
    Check("one writer, 3 nodes: stop", "-DN=3 -DSTOPS=1"),
    Check("one writer, 3 nodes: crash", "-DN=3 -DPROGRESS -DCRASHES=1"),
    Check("one writer, 3 nodes: freeze", "-DN=3 -DPROGRESS -DFREEZES=1"),
    Check("one address: path loss, messages lost", "-DPATHS=2 -DLOSSES=1"),
    Check("one address: path loss, messages lost, agent death, freeze", "-DPATHS=1 -DLOSSES=1 -DAGENTS=1 -DFREEZES=1"),
    Check("one address: path loss, messages lost, agent death, crash", "-DPATHS=1 -DLOSSES=1 -DAGENTS=1 -DCRASHES=1"),
    Check("one address: path loss, messages lost, agent death, stop", "-DPATHS=1 -DLOSSES=1 -DAGENTS=1 -DSTOPS=1"),
    Check("one address: path loss, messages lost, agent death, detached", "-DPATHS=1 -DLOSSES=1 -DAGENTS=1 -DDETACHES=1"),
    Check("one address: path loss, agent death, returned path", "-DPATHS=1 -DAGENTS=1 -DRETURNS=1"),
    Check("one address: array restart with keys, messages lost, agent death", "-DARRAYS=1 -DLOSSES=1 -DAGENTS=1"),
    Check("one address: array restart without keys, path loss, agent death", "-DCLEARS=1 -DPATHS=1 -DAGENTS=1"),
    Check("healthy owner stays: crash", "-DSTAY -DCRASHES=1"),
    Check("healthy owner stays: freeze", "-DSTAY -DFREEZES=1"),
    Check("healthy owner stays: isolation", "-DSTAY -DWITS=1"),
    Check("healthy owner stays: detached", "-DSTAY -DDETACHES=1"),
    Check("healthy owner stays: path loss, agent death", "-DSTAY -DPATHS=1 -DAGENTS=1"),
    Check("healthy owner stays, 3 nodes: heartbeat cut", "-DN=3 -DSTAY -DPROGRESS -DHBCUTS=1"),
    Check("healthy owner stays, 3 nodes: heartbeat cut, freeze", "-DN=3 -DSTAY -DPROGRESS -DHBCUTS=1 -DFREEZES=1"),
    Check("healthy owner stays, 3 nodes: messages lost", "-DN=3 -DSTAY -DPROGRESS -DLOSSES=1"),
    Check("ends owned: crash, freeze", "-DPROGRESS -DCRASHES=1 -DFREEZES=1", Kind.FINAL),
    Check("ends owned: heartbeat cut, isolation", "-DPROGRESS -DHBCUTS=1 -DWITS=1", Kind.FINAL),
    Check("ends owned: heartbeat cut, crash", "-DPROGRESS -DHBCUTS=1 -DCRASHES=1", Kind.FINAL),
    Check("ends owned: path loss, freeze", "-DPROGRESS -DPATHS=1 -DFREEZES=1", Kind.FINAL),
    Check("ends owned: path loss, messages lost, agent death", "-DPROGRESS -DPATHS=1 -DLOSSES=1 -DAGENTS=1", Kind.FINAL),
    Check("ends owned: agent death, returned path", "-DPROGRESS -DAGENTS=1 -DRETURNS=1", Kind.FINAL),
    Check("ends owned: path loss, array restart without keys", "-DPROGRESS -DPATHS=1 -DCLEARS=1", Kind.FINAL),
    Check("ends owned: crash, array restart with keys", "-DPROGRESS -DCRASHES=1 -DARRAYS=1", Kind.FINAL),
    Check("ends owned, 3 nodes: crash", "-DN=3 -DPROGRESS -DCRASHES=1", Kind.FINAL),
    Check("ends owned, 3 nodes: path loss, messages lost", "-DN=3 -DPROGRESS -DPATHS=1 -DLOSSES=1", Kind.FINAL),
    Check("ends owned, 3 nodes: agent death", "-DN=3 -DPROGRESS -DAGENTS=1", Kind.FINAL),
    Check("ends owned, 3 nodes: array restart with keys", "-DN=3 -DPROGRESS -DARRAYS=1", Kind.FINAL),
    Check(
        "ends with one address, without giving up: path loss, messages lost, agent death",
        "-DPROGRESS -DPATIENCE -DPATHS=1 -DLOSSES=1 -DAGENTS=1",
        Kind.FINAL,
    ),
    Check("comes to rest: heartbeat cut", "-DPROGRESS -DSTAY -DHBCUTS=1", Kind.LIVELOCK),
    Check("comes to rest: heartbeat cut, crash", "-DPROGRESS -DSTAY -DHBCUTS=1 -DCRASHES=1", Kind.LIVELOCK),
    Check("comes to rest: heartbeat cut, isolation", "-DPROGRESS -DSTAY -DHBCUTS=1 -DWITS=1", Kind.LIVELOCK),
    Check("comes to rest: isolation, path loss", "-DPROGRESS -DSTAY -DWITS=1 -DPATHS=1", Kind.LIVELOCK),
    Check("comes to rest: isolation of both", "-DPROGRESS -DSTAY -DWITS=2", Kind.LIVELOCK),
    Check("comes to rest: messages lost, path loss", "-DPROGRESS -DSTAY -DLOSSES=1 -DPATHS=1", Kind.LIVELOCK),
    Check("comes to rest: agent death, path loss", "-DPROGRESS -DSTAY -DAGENTS=1 -DPATHS=1", Kind.LIVELOCK),
)
CYCLE = "non-progress cycle"
MUTATIONS = (
    Check("no look at lock and data before the mount", "-DM_NO_VERIFY", caught_by="seen"),
    Check("lock LUN not read after registering on data", "-DM_NO_LOCK_CHECK", caught_by="seen"),
    Check("other keys not preempted from data LUNs", "-DM_NO_DATA_PREEMPT", caught_by="seen"),
    Check("data LUNs not reserved", "-DM_NO_RESERVE_DATA", caught_by="seen"),
    Check("preempts after a registration without a look", "-DSTAY -DFREEZES=1 -DM_SWEEP_UNSEEN", caught_by="unhurt"),
    Check("writes not suspended during a repair", "-DM_NO_SUSPEND -DRETURNS=1", caught_by="two_writers"),
    Check("repair resumes without reading the lock", "-DM_REPAIR_WITHOUT_VERIFY -DRETURNS=1", caught_by="two_writers"),
    Check("challenger registers on data LUNs", "-DM_CHALLENGER_ON_DATA", caught_by="challenger_on_data"),
    Check("keys released before the unmount", "-DM_RELEASE_FIRST -DSTOPS=1", caught_by="late_write"),
    Check("reservation of data dropped beside a node that sleeps", "-DM_RESERVATION_DROPPED -DSTOPS=1", caught_by="late_write"),
    Check("lost package is not stopped", "-DM_LOSS_IGNORED", caught_by="two_addresses"),
    Check("rejoins before the stop is proven", "-DM_REJOIN_UNPROVEN", caught_by="two_writers"),
    Check("address stays over the unmount", "-DM_ADDRESS_STAYS -DSTOPS=1", caught_by="address"),
    Check("owner without storage believes no successor", "-DM_NO_SUCCESSOR -DPATHS=1", caught_by="two_addresses"),
    Check(
        "owner without storage believes only a successor that serves",
        "-DM_OWNERS_ONLY -DPATHS=1 -DDETACHES=1",
        caught_by="two_addresses",
    ),
    Check(
        "owner without storage keeps the address though it hears nobody",
        "-DM_KEEPS_UNHEARD -DPATHS=1 -DLOSSES=1",
        caught_by="two_addresses",
    ),
    Check(
        "owner without storage keeps the address while it hears anybody",
        "-DN=3 -DPROGRESS -DM_ONE_HEARD -DPATHS=1 -DLOSSES=1",
        caught_by="two_addresses",
    ),
    Check(
        "owner without storage keeps the address and never gives up",
        "-DPROGRESS -DPATIENCE -DM_KEEPS_UNHEARD -DPATHS=1 -DLOSSES=1",
        Kind.FINAL,
        caught_by="two_addresses",
    ),
    Check(
        "owner without storage goes by its patience alone",
        "-DM_NO_SUCCESSOR -DM_KEEPS_UNHEARD -DPATHS=1",
        caught_by="two_addresses",
    ),
    Check(
        "address comes back without a proof",
        "-DPROGRESS -DSTAY -DM_BACK_UNPROVEN -DLOSSES=1 -DPATHS=1",
        Kind.LIVELOCK,
        caught_by=CYCLE,
    ),
    Check("agent that comes back waits for ever", "-DM_ADOPT_WAITS -DPATHS=1 -DAGENTS=1", caught_by="two_addresses"),
    Check(
        "agent that comes back leaves maps suspended",
        "-DPROGRESS -DM_ADOPT_SUSPENDED -DAGENTS=1 -DRETURNS=1",
        Kind.FINAL,
        caught_by="not_served",
    ),
    Check("no watchdog behind a dead agent", "-DPROGRESS -DM_NO_WATCHDOG -DAGENTS=1", Kind.FINAL, caught_by="two_"),
    Check("no wait W", "-DSTAY -DM_NO_WAIT", caught_by="unhurt"),
    Check("owner does not defend", "-DSTAY -DM_NO_DEFEND", caught_by="unhurt"),
    Check("note of detachment ignored", "-DSTAY -DDETACHES=1 -DM_NO_STANDOFF", caught_by="unhurt"),
    Check("isolated owner defends", "-DPROGRESS -DSTAY -DHBCUTS=1 -DWITS=1 -DM_ISOLATED_DEFENDS", Kind.LIVELOCK, caught_by=CYCLE),
    Check("accuses without a witness", "-DPROGRESS -DSTAY -DWITS=2 -DM_NO_WITNESS", Kind.LIVELOCK, caught_by=CYCLE),
    Check("evidence is never spent", "-DPROGRESS -DSTAY -DHBCUTS=1 -DM_NO_SPENT", Kind.LIVELOCK, caught_by=CYCLE),
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
    with subprocess.Popen(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        resource.prlimit(process.pid, resource.RLIMIT_CPU, (seconds, seconds))
        output, _ = process.communicate()
    return output + (f"\ncut short: exit status {process.returncode}" if process.returncode < 0 else "")


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
        caught = bool(check.caught_by) and check.caught_by in result.error
        return caught, f"{'caught by' if caught else 'error found:'} {result.error.removeprefix('assertion violated').strip()}"
    if result.cut_short:
        return False, f"cut short ({result.cut_short}): proves nothing"
    return check.holds, "holds" if check.holds else "not caught"


def run_timed(check: Check, seconds: int) -> tuple[Result, float]:
    """Run one check and say how long it took."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        result = run_check(check, Path(directory), seconds)
    return result, time.monotonic() - started


def _is_chosen(name: str, only: list[str] | None, skip: list[str]) -> bool:
    return (not only or any(text in name for text in only)) and not any(text in name for text in skip)


def main() -> int:
    """Run the chosen checks; 0 when all ended as they must."""
    parser = argparse.ArgumentParser(description="check the ownership model with spin")
    parser.add_argument("--only", action="append", help="run checks whose name contains this")
    parser.add_argument("--skip", action="append", default=[], help="leave out checks whose name contains this")
    parser.add_argument("--list", action="store_true", help="print the names")
    parser.add_argument("--seconds", type=int, default=120, help="CPU seconds per check")
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
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for check, (result, seconds) in zip(chosen, pool.map(lambda c: run_timed(c, options.seconds), chosen), strict=True):
            good, text = verdict(check, result)
            failed += not good
            kind = "property" if check.holds else "mutation"
            mark = "PASS" if good else "FAIL"
            print(f"{mark} {kind} {check.name}: {text}, {result.states} states, {seconds:.1f} s", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
