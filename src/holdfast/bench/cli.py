"""`holdfast bench NAME`: run one of the benchmarks in benchmarks/, print a table, and write JSON.

A benchmark is a module with PURPOSE (one line) and measure(report, quick), which returns its figures.
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


def add_arguments(areas: Any) -> None:
    """Add `bench` to the command line."""
    parser = areas.add_parser("bench", help="measure, always beside a floor from the same run", description="Measure, always "
                              "beside a floor from the same run. Without NAME: show which benchmarks there are.")
    parser.add_argument("name", nargs="?", metavar="NAME", help="the benchmark")
    parser.add_argument("--quick", action="store_true", help="a shorter variant with fewer figures and samples")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures to this file as well")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if arguments.name is None:
        for name, path in benchmarks().items():
            print(f"{name:<12}{load(path).PURPOSE}")
        return 0
    if arguments.name not in benchmarks():
        raise UsageError(f"there is no benchmark '{arguments.name}'; there are {', '.join(benchmarks()) or 'none'}")
    if arguments.json and not os.access(arguments.json.parent, os.W_OK):
        raise UsageError(f"--json {arguments.json}: {arguments.json.parent} can't be written")
    host = machine()
    with Progress(f"bench {arguments.name}") as report:
        figures: list[Figure] = load(benchmarks()[arguments.name]).measure(report, arguments.quick)
    print(table(figures))
    if arguments.json:
        text = json.dumps(document(arguments.name, figures, quick=arguments.quick, host=host), indent=2)
        arguments.json.write_text(text + "\n")
    return 0


def benchmarks() -> dict[str, Path]:
    """Name to file."""
    return {path.stem: path for path in sorted(BENCHMARKS.glob("*.py"))}


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"benchmarks.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise LabError(f"{path} can't be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module         # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module
