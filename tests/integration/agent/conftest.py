"""A lab with the package "erp" deployed (see tests/integration/conftest.py)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from holdfast.lab import Lab
from tests.integration.conftest import Site
from tests.integration.waiting import wait_until

NODES = ("node1", "node2")
# A loaded machine needs many times what a lab alone on it needs.
PATIENCE_SECONDS = 120.0


class Cluster:
    """The two nodes, seen through their agents."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def run(self, node: str, command: str) -> str:
        """Output of a command on a node; a failing command fails the test."""
        return self.lab.node(node).succeed(command)

    def status(self, node: str) -> dict[str, Any]:
        """What the agent of a node says."""
        status: dict[str, Any] = json.loads(self.run(node, "holdfastctl status --json"))
        return status

    def owner(self) -> str:
        """The node whose agent says that it owns the package; exactly one does."""
        owners = [node for node in NODES if self.status(node)["packages"]["erp"]["state"] == "owner"]
        assert len(owners) == 1, owners
        return owners[0]

    def wait_for_service(self) -> None:
        """Wait until one node owns the package and the other stands by."""
        def states() -> list[str]:
            return sorted(str(self.status(node)["packages"]["erp"]["state"]) for node in NODES)

        self.wait("one owner and one standby", lambda: states() == ["owner", "standby"])

    def other(self, node: str) -> str:
        """The other node."""
        return next(name for name in NODES if name != node)

    def wait(self, what: str, question: Callable[[], bool]) -> None:
        """Wait until a question is answered with yes."""
        wait_until(what, question, PATIENCE_SECONDS)


@pytest.fixture
def cluster(deployed: Site) -> Cluster:
    """The cluster in service: one owner, the other standing by."""
    made = Cluster(deployed.lab)
    made.wait_for_service()
    return made
