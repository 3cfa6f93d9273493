"""`holdfast bench NAME`: run one of the benchmarks in benchmarks/, print a table, and write JSON.

A benchmark is a module with PURPOSE (one line) and measure(report, quick), which returns or yields its figures. One that can
run in parts has PARTS (name to purpose) as well, and takes the names of those that are wanted as a third argument.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from holdfast.bench.figure import Figure, document, machine, table
from holdfast.lab.errors import LabError, UsageError
from holdfast.progress import Progress

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
# For the help, which loads no benchmark; a test compares it with PARTS of benchmarks/takeover.py.
TAKEOVER_PARTS = ("holdfast", "pacemaker", "eight", "pooler")


def add_arguments(areas: Any) -> None:
    """Add `bench` to the command line."""
    parser = areas.add_parser("bench", help="measure, always beside a floor from the same run", description="Measure, always "
                              "beside a floor from the same run. Without NAME: show which benchmarks there are, with their "
                              "parts.")
    parser.add_argument("name", nargs="?", metavar="NAME", help="the benchmark")
    parser.add_argument("--quick", action="store_true", help="a shorter variant with fewer figures and samples")
    parser.add_argument("--only", metavar="PART", action="append", help=f"only this part of the benchmark; may be repeated. "
                        f"takeover has {', '.join(TAKEOVER_PARTS)}")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures to this file as well")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if arguments.name is None:
        for name, path in benchmarks().items():
            benchmark = load(path)
            print(f"{name:<12}{benchmark.PURPOSE}")
            for part, purpose in parts_of(benchmark).items():
                print(f"  --only {part:<12}{purpose}")
        return 0
    if arguments.name not in benchmarks():
        raise UsageError(f"there is no benchmark '{arguments.name}'; there are {', '.join(benchmarks()) or 'none'}")
    if arguments.json and not os.access(arguments.json.parent, os.W_OK):
        raise UsageError(f"--json {arguments.json}: {arguments.json.parent} can't be written")
    benchmark, host = load(benchmarks()[arguments.name]), machine()
    parts = choose_parts(arguments.name, parts_of(benchmark), arguments.only)
    figures: list[Figure] = []
    try:
        with Progress(f"bench {arguments.name}") as report:
            for figure in benchmark.measure(report, arguments.quick, *([parts] if parts else [])):
                figures.append(figure)
    finally:    # what was measured before something broke off took its time and is worth as much as ever
        print(table(figures))
        if arguments.json:
            text = json.dumps(document(arguments.name, figures, quick=arguments.quick, host=host), indent=2)
            arguments.json.write_text(text + "\n")
    return 0


def benchmarks() -> dict[str, Path]:
    """Name to file."""
    return {path.stem: path for path in sorted(BENCHMARKS.glob("*.py"))}


def parts_of(benchmark: ModuleType) -> dict[str, str]:
    """Part to purpose; empty where it is all one."""
    return getattr(benchmark, "PARTS", {})


def choose_parts(name: str, known: dict[str, str], wanted: list[str] | None) -> tuple[str, ...]:
    """The parts asked for, else all; UsageError where there is no such part."""
    unknown = [part for part in wanted or () if part not in known]
    if unknown:
        has = f"the parts {', '.join(known)}" if known else "no parts"
        raise UsageError(f"--only {unknown[0]}: the benchmark '{name}' has {has}")
    return tuple(part for part in known if wanted is None or part in wanted)


def load(path: Path) -> ModuleType:
    if str(path.parents[1]) not in sys.path:
        sys.path.append(str(path.parents[1]))   # a benchmark's own modules are benchmarks.…
    spec = importlib.util.spec_from_file_location(f"benchmarks.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise LabError(f"{path} can't be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module         # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module
