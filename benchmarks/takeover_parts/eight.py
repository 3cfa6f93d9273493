"""Eight packages on one node: all of them move, all their databases are killed, and their node crashes.

Two floors: the package `erp` alone on the same nodes, while the other seven are stopped, which the aim speaks of; and the eight
databases with nobody watching them, stopped (or killed) and started at once on one node: what the machine can do at best.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path

import yaml

from holdfast.bench.cluster import PACKAGE, Cluster, Recipe, Report
from holdfast.bench.database import Database, measure_floors
from holdfast.bench.figure import Figure, Floor
from holdfast.bench.measured import run_series

HERE = Path(__file__).parent
VARIABLES = HERE / "eight_packages.yml"
RUNS, QUICK_RUNS = 20, 3
FLOOR_RUNS = 10               # of one package alone, and of the databases alone; QUICK_RUNS in a quick run
AIM_RATIO = 2.0               # not slower than twice one package alone
STOP_SECONDS = 120.0


class EightCluster(Cluster):
    """The default lab with more memory, and eight packages."""

    recipe = Recipe(str(HERE / "eight_topology.yml"), Cluster.recipe.playbooks, VARIABLES)
    single_writer = True

    def keep(self, packages: tuple[str, ...]) -> None:
        """Start these where `erp` is and stop all others."""
        owner = self.owner()
        known = self.statuses(owner)
        for package in all_packages():
            wanted = package in packages
            if wanted != (known[package]["state"] == "owner"):
                self.run(owner, f"holdfastctl {'start' if wanted else 'stop'} {package}", timeout_seconds=STOP_SECONDS)
        self.packages = packages
        self.owner()


def all_packages() -> tuple[str, ...]:
    return tuple(databases())


def databases() -> dict[str, Database]:
    """By package: each has one PostgreSQL."""
    packages = yaml.safe_load(VARIABLES.read_text())["holdfast_packages"]
    return {package["name"]: Database(package["resources"][0]["postgresql"]["data_directory"],
                                      package["resources"][0]["postgresql"]["port"]) for package in packages}  # fmt: skip


def measure(name: str, report: Report, quick: bool) -> list[Figure]:
    runs, floor_runs = (QUICK_RUNS, QUICK_RUNS) if quick else (RUNS, FLOOR_RUNS)
    with EightCluster.built(name, report) as cluster:
        scenarios: dict[str, Callable[[str], object]] = {
            "move": cluster.move, "databases killed": partial(kill_databases, cluster), "node crash": cluster.crash}
        cluster.keep((PACKAGE,))
        alone = {scenario: run_series(cluster, f"one alone: {scenario}", happen, floor_runs, report).outages()
                 for scenario, happen in scenarios.items()}
        cluster.keep(all_packages())
        restart, killed = measure_floors(cluster, floor_runs, report, databases())
        floors = dict(zip(scenarios, (restart, killed, killed), strict=True))
        figures = []
        for scenario, happen in scenarios.items():
            series = run_series(cluster, f"eight: {scenario}", happen, runs, report)
            outages = {package: series.outages(package) for package in all_packages()}
            figures += compare(scenario, outages, statistics.median(alone[scenario]), floors[scenario])
    return figures


def kill_databases(cluster: Cluster, owner: str) -> None:
    """The databases of all packages that clients use, at once."""
    cluster.run(owner, "; ".join(databases()[package].kill for package in cluster.packages))


def compare(scenario: str, outages: dict[str, tuple[float, ...]], alone: float, databases_alone: Floor) -> list[Figure]:
    """The worst package of each event beside both floors, and `erp`."""
    floor = Floor("erp alone, seven packages stopped", alone)
    worst = tuple(max(event) for event in zip(*outages.values(), strict=True))
    return [Figure(f"eight packages: {scenario}, the worst", "s", worst, floor, AIM_RATIO * alone),
            Figure(f"eight packages: {scenario}, the worst", "s", worst, databases_alone),
            Figure(f"eight packages: {scenario}, erp", "s", outages[PACKAGE], floor, AIM_RATIO * alone)]
