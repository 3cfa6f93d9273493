"""A lab with the package "erp" and its poolers deployed (see tests/integration/conftest.py)."""

from __future__ import annotations

import itertools
import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from holdfast.drill.observers import Probe
from holdfast.drill.site import Site, find_owner, open_site
from tests.integration.conftest import Site as BuiltSite
from tests.integration.waiting import wait_until

ROOT = Path(__file__).parents[3]
# A loaded machine needs many times what a lab alone on it needs.
PATIENCE_SECONDS = 180.0
UNTIL = "timeout 120 sh -c 'until holdfastctl status | grep -q \"{words}\"; do sleep 0.2; done'"


@dataclass
class Measured:
    """What clients saw between two moments."""

    attempts: list[dict[str, Any]] = field(default_factory=list)

    def failed(self) -> list[dict[str, Any]]:
        return [attempt for attempt in self.attempts if attempt["outcome"] != "ok"]

    def longest_between(self, begin: float, end: float) -> float:
        """The longest time between two successes of one writer that touches this time, of the client's wall clock."""
        found = [0.0]
        for worker in {a["worker"] for a in self.attempts if a["role"] == "writer"}:
            ends = [a["t_wall"] + a["seconds"] for a in self.attempts if a["worker"] == worker and a["outcome"] == "ok"]
            found += [later - earlier for earlier, later in itertools.pairwise(ends) if later > begin and earlier < end]
        return max(found)


class Cluster:
    """The site as a drill sees it, and a probe that goes through the pooler."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.client = site.view.clients[0]

    def run(self, host: str, *argv: str, expect: int = 0) -> str:
        done = self.site.shell.run(host, argv, timeout_seconds=PATIENCE_SECONDS)
        assert done.code == expect, (argv, done.code, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def owner(self) -> str:
        return find_owner(self.site)

    def other(self, node: str) -> str:
        return next(name for name in self.site.view.nodes if name != node)

    def package(self, node: str) -> dict[str, Any]:
        package: dict[str, Any] = json.loads(self.run(node, "holdfastctl", "status", "--json"))["packages"]["erp"]
        return package

    def wait(self, what: str, question: Callable[[], bool]) -> None:
        wait_until(what, question, PATIENCE_SECONDS)

    def wait_until_in_service(self) -> None:
        """One owner whose poolers know it, and a standby that could take over."""
        self.wait("service", lambda: all(p["ready"] for p in self.package(self.owner())["poolers"].values()))
        self.wait("standby", lambda: self.package(self.other(self.owner()))["state"] == "standby")

    @contextmanager
    def measured(self) -> Iterator[Measured]:
        """Clients at work behind the pooler; the record is filled in at the end."""
        probe = Probe(self.site.shell, self.site.view, self.client, f"pooler-{time.time():.0f}", "pooler")
        self.run(self.client, "sh", "-c", "python3 -c 'import psycopg' || apt-get install -qy python3-psycopg")
        probe.prepare(self.owner())
        probe.start()
        measured = Measured()
        try:
            self.wait("first success", lambda: probe.status.get("ok", 0) > 20)
            yield measured
        finally:
            measured.attempts += [json.loads(line) for line in probe.stop().splitlines()]
            probe.remove()

    def move(self, owner: str, *options: str) -> tuple[float, float]:
        """Move away from the owner and wait until all is well on both nodes; when that began and ended.

        By this machine's clock, which is that of the lab's nodes. Few connections: each costs a busy machine a second.
        """
        target, begun = self.other(owner), time.time()
        self.run(owner, "holdfastctl", "move", "erp", target, *options)
        self.run(target, "sh", "-c", UNTIL.format(words="pooler .*serving"))
        self.run(owner, "sh", "-c", UNTIL.format(words="^erp *standby"))
        return begun, time.time()


def describe(delays: list[float]) -> str:
    return f"median {statistics.median(delays):.2f} s, longest {max(delays):.2f} s of {len(delays)}"


@pytest.fixture
def cluster(deployed: BuiltSite) -> Cluster:
    made = Cluster(open_site(ROOT, ROOT / "inventories" / "lab", "erp"))
    made.wait_until_in_service()
    return made
