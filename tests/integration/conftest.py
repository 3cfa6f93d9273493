"""One lab for everything that needs a built cluster: built once, deployed once, deleted at the end.

`built` is for tests that need the LUNs to themselves, `deployed` for those with the package `erp` in service; run the first
before the second (tests/integration/storage, then tests/integration/agent, pooler and site). HOLDFAST_LAB names a lab that is
there already: it is then taken as it is, and left.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from holdfast.lab import Lab
from holdfast.lab.command import environment
from holdfast.lab.topology import load_topology

ROOT = Path(__file__).parents[2]
NAME = "cluster-test"
LIMIT_SECONDS = 1800


@dataclass(frozen=True)
class Site:
    """A lab and the playbooks on it."""

    name: str
    made_here: bool

    @property
    def lab(self) -> Lab:
        return Lab.open(self.name)

    def command(self, playbook: str, *words: str) -> list[str]:
        """How an operator calls a playbook of this site."""
        tool = str(Path(sys.executable).with_name("ansible-playbook"))
        return [tool, "-i", "inventories/lab", f"playbooks/{playbook}.yml", *words]

    def environment(self) -> dict[str, str]:
        return environment(HOLDFAST_LAB=self.name, ANSIBLE_NOCOLOR="1")

    def run(self, playbook: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(playbook, *words), cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=LIMIT_SECONDS, env=self.environment(), check=False)

    def succeed(self, playbook: str, *words: str) -> str:
        """What the playbook printed; a failed one fails the test."""
        done = self.run(playbook, *words)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        return done.stdout


@pytest.fixture(scope="session")
def built() -> Iterator[Site]:
    """Array and nodes are built; no package is deployed yet."""
    given = os.environ.get("HOLDFAST_LAB")
    if given:
        yield Site(given, made_here=False)
        return
    lab = Lab(NAME)
    try:
        lab.up(load_topology("default"), fresh=True)
        site = Site(NAME, made_here=True)
        site.succeed("build_cluster")
        os.environ["HOLDFAST_LAB"] = NAME
        yield site
    finally:
        os.environ.pop("HOLDFAST_LAB", None)
        lab.down(delete=True)


@pytest.fixture(scope="session")
def deployed(built: Site) -> Site:
    """The package `erp` is in service."""
    if built.made_here:
        built.succeed("deploy_packages")
    return built
