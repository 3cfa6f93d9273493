"""OCF agents of the distribution as resources, for real: Dummy, Delay, pgsql, mysql; what mariadb wants beyond them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from holdfast.lab import Lab

pytestmark = pytest.mark.lab
PROGRAM = Path(__file__).parent / "on_node/run_ocf_agents.py"
CALL = ("systemd-run --quiet --pipe --wait --collect --property=Delegate=yes "
        "--setenv=PYTHONPATH=/usr/lib/holdfast/agent python3 -")  # fmt: skip


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, Any]]:
    """What became of every agent on one node, beside its packages: folders and ports are the test's own."""
    node = Lab(os.environ["HOLDFAST_LAB"]).node("node2")
    node.succeed("apt-get install --yes resource-agents postgresql-17 mariadb-server", timeout_seconds=300)
    text = node.succeed(CALL, stdin=PROGRAM.read_text(), timeout_seconds=600)
    return {entry["agent"]: entry for entry in map(json.loads, text.splitlines())}


@pytest.mark.parametrize("agent", ["Dummy", "Delay", "pgsql", "mysql"])
def test_it_starts_is_watched_and_stops(answers: dict[str, dict[str, Any]], agent: str) -> None:
    answer = answers[agent]
    assert "error" not in answer, answer
    assert answer["down_before"] and answer["down_after"]
    assert "unknown parameter nonsense" in answer["refused"]


def test_mariadb_wants_replication_and_says_so(answers: dict[str, dict[str, Any]]) -> None:
    """It drives a promoted server and its replicas; a single MariaDB is for `mysql`, or for the type `mariadb`."""
    assert "unknown parameter nonsense" in answers["mariadb"]["refused"]
    assert "not configured as master/slave" in answers["mariadb"]["error"]
