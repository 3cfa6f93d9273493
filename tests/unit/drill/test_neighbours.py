"""The other packages of the cluster go home after a drill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from holdfast.drill import waiting
from holdfast.drill.conditions import NodeSeen, Seen
from holdfast.drill.errors import HostUnreachable
from holdfast.drill.hosts import Completed
from holdfast.drill.neighbours import bring_home, find_neighbours

NODES = ("node1", "node2", "node3")


@dataclass
class FakePackages:
    """Where packages are; a move is carried out at once, unless it is refused."""

    owners: dict[str, str | None]
    refused: bool = False
    gone: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def look(self) -> Seen:
        nodes = {}
        for node in NODES:
            packages = {
                name: {"state": "owner" if owner == node else "standby", "owner": owner} for name, owner in self.owners.items()
            }
            nodes[node] = NodeSeen(node not in self.gone, None if node in self.gone else {"packages": packages})
        return Seen(nodes)

    def run(self, host: str, argv: Sequence[str], stdin: str = "", timeout_seconds: float = 30) -> Completed:
        self.asked.append(f"{host}: {' '.join(argv)}")
        if host in self.gone:
            raise HostUnreachable(f"{host}: no answer")
        if argv[1] == "move":
            if self.refused:
                return Completed(1, "", "not moved: node2 is behind in version")
            assert self.owners[argv[2]] == host
            self.owners[argv[2]] = argv[3]
        return Completed(0, "", "")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.01)


def test_every_other_package_with_one_owner_is_a_neighbour() -> None:
    cluster = FakePackages({"erp": "node1", "shop": "node2", "stopped": None})
    assert find_neighbours("erp", cluster.look()) == {"shop": "node2"}


def test_one_that_was_taken_along_is_moved_back() -> None:
    cluster = FakePackages({"erp": "node1", "shop": "node1", "web": "node3"})
    assert bring_home(cluster, {"shop": "node2", "web": "node3"}, cluster.look, 0.1) == []
    assert cluster.owners == {"erp": "node1", "shop": "node2", "web": "node3"}
    assert cluster.asked == ["node1: holdfastctl move shop node2"]


def test_what_does_not_come_home_is_named_and_keeps_nobody_else_away() -> None:
    cluster = FakePackages({"shop": "node1", "web": "node1"}, refused=True)
    assert bring_home(cluster, {"shop": "node2"}, cluster.look, 0.1) == ["shop: not moved: node2 is behind in version"]
    cluster = FakePackages({"shop": None, "web": "node1"})
    left = bring_home(cluster, {"shop": "node2", "web": "node3"}, cluster.look, 0.05)
    assert left == ["shop: standby on node2, owned by nobody"]
    assert cluster.owners["web"] == "node3"


def test_a_home_that_is_gone_is_named() -> None:
    cluster = FakePackages({"shop": "node1"}, gone={"node2"})
    assert bring_home(cluster, {"shop": "node2"}, cluster.look, 0.05) == ["shop: no agent on node2, owned by nobody"]
