"""When a cluster that a benchmark built has settled."""

from __future__ import annotations

import pytest

from holdfast.bench.cluster import Cluster, find_settled


def seen(**states: tuple[str, str]) -> dict[str, dict[str, dict[str, str]]]:
    """Package to its states on node1 and node2, as the agents tell them."""
    nodes = enumerate(("node1", "node2"))
    return {node: {name: {"state": pair[number]} for name, pair in states.items()} for number, node in nodes}


@pytest.mark.parametrize(("states", "owner"), [
    ({"erp": ("owner", "standby")}, "node1"),
    ({"erp": ("standby", "owner"), "crm": ("standby", "owner")}, "node2"),
    ({"erp": ("owner", "standby"), "crm": ("standby", "owner")}, None),
    ({"erp": ("owner", "standby"), "crm": ("owner", "starting")}, None),
    ({"erp": ("owner", "owner"), "crm": ("owner", "standby")}, None),
    ({"erp": ("standby", "standby")}, None),
])
def test_one_node_owns_all_and_the_other_could_take_them(states, owner) -> None:
    assert find_settled(seen(**states), tuple(states)) == owner


def test_a_package_that_is_not_asked_about_does_not_count() -> None:
    assert find_settled(seen(erp=("owner", "standby"), crm=("stopped", "stopped")), ("erp",)) == "node1"


def test_a_node_whose_agent_is_silent_is_no_standby() -> None:
    assert find_settled({"node1": {"erp": {"state": "owner"}}, "node2": {}}, ("erp",)) is None


def test_all_packages_move_at_once_and_each_refusal_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    cluster = Cluster("lab", lambda text: None)
    cluster.packages = ("erp", "crm")
    monkeypatch.setattr(cluster, "other", lambda node: "node2")
    monkeypatch.setattr(cluster, "run", lambda node, command, timeout_seconds: told.append((node, command)))
    cluster.move("node1")
    assert told == [("node1", "holdfastctl move erp node2 & p0=$!; holdfastctl move crm node2 & p1=$!; wait $p0 && wait $p1")]
