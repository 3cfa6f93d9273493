"""A lab whose array and nodes are built (see tests/integration/conftest.py).

The tests reserve LUNs, cut power and pull cables; the agent must not run in this lab yet.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.module_utils.reservation_key import build_key
from tests.integration.conftest import Site

ROOT = Path(__file__).parents[3]
ON_NODE = Path(__file__).parent / "on_node"
CLUSTER = "lab"


class Lab:
    """Verbs on the nodes of one lab."""

    def __init__(self, name: str) -> None:
        self.name = name

    def verb(self, *argv: str, stdin: str | None = None, limit_seconds: float = 180) -> str:
        """Run a lab verb; its output, or an error with everything it said."""
        area, *rest = argv
        command = [str(ROOT / "holdfast"), "lab", area, "--name", self.name, *rest]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=limit_seconds, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{command}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def run(self, node: str, command: str, stdin: str | None = None) -> str:
        """A shell command on a node."""
        return self.verb("ssh", node, "--", command, stdin=stdin)

    def module(self, node: str, name: str, check: bool = False, **options: Any) -> dict[str, Any]:
        """A module of the collection on a node; a failed one comes back with `failed`."""
        argv = [str(ROOT / ".venv/bin/ansible"), "-i", "inventories/lab", node, "-m", f"holdfast.cluster.{name}"]
        argv += ["-a", json.dumps(options), *(["--check"] if check else [])]
        environment = {**os.environ, "HOLDFAST_LAB": self.name}
        done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180, check=False)
        # A failed module is told twice; its result stands after the arrow.
        start = done.stdout.find("=> {") + 3
        if start < 3:
            raise RuntimeError(f"{argv}: {done.stdout}\n{done.stderr}")
        result = json.JSONDecoder().raw_decode(done.stdout[start:])[0]
        return {**result, "failed": done.returncode != 0}

    def writes(self, node: str, lun: str) -> list[int]:
        """Error numbers of one write over every path and over the map; 0 is a write that went through."""
        script = (ON_NODE / "write_every_path.py").read_text()
        return list(json.loads(self.run(node, f"python3 - {lun}", stdin=script)).values())


@pytest.fixture(scope="session")
def lab(built: Site) -> Lab:
    return Lab(built.name)


@pytest.fixture
def keys(lab: Lab) -> Iterator[dict[str, str]]:
    """A key per node; whatever the test leaves registered on the lock LUN is taken away."""
    made = {f"node{number}": f"0x{build_key(CLUSTER, number, 1):016x}" for number in (1, 2)}
    yield made
    for node, key in made.items():
        lab.module(node, "scsi_reservation", lun="/dev/mapper/erp-lock", cluster=CLUSTER, key=key, state="absent")
