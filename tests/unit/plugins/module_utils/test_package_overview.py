"""What the nodes say, put together."""

from __future__ import annotations

from ansible_collections.holdfast.cluster.plugins.module_utils import package_overview as overview


def view(state: str, owner: str | None) -> dict:
    return {"state": state, "owner": owner, "reason": "because", "since": "2026", "address": {"10.0.0.5/24": state == "owner"}}


def answers(first: dict | None, second: dict | None, digests: tuple = ("a", "a")) -> dict:
    return {
        node: {"packages": {"erp": {"name": "erp", "nodes": ["node1", "node2"], "digest": digest, "observed": seen}}, "node": {}}
        for node, digest, seen in zip(("node1", "node2"), digests, (first, second), strict=True)
    }


def test_owner_is_who_says_so_of_itself():
    built = overview.build_overview(answers(view("owner", "node1"), view("standby", "node1")))
    assert built["packages"]["erp"]["owner"] == "node1"
    assert overview.find_speaker(built, "erp") == "node1"
    assert overview.order_idle_first(built, ["node1", "node2", "node3"]) == ["node2", "node3", "node1"]


def test_nobody_owns_it_on_hearsay_or_when_two_claim_it():
    assert overview.find_owner({"node1": None, "node2": view("standby", "node1")}) is None
    assert overview.find_owner({"node1": view("owner", "node1"), "node2": view("owner", "node2")}) is None


def test_first_answering_node_speaks_for_a_stopped_package():
    built = overview.build_overview(answers(None, view("stopped", None)))
    assert overview.find_speaker(built, "erp") == "node2"
    assert overview.find_speaker(built, "none") == ""


def test_obstacles_of_a_move():
    built = overview.build_overview(answers(view("owner", "node1"), view("ejected", "node1"), ("a", "b")))
    problems = overview.find_obstacles(built, "erp", "node2")
    assert [problem.split(" ")[0] for problem in problems] == ["node2", "The"]
    assert overview.find_obstacles(built, "erp", "node7")[0] == "node7 is not in the nodes of erp."
    silent = overview.build_overview(answers(view("owner", "node1"), None))
    assert overview.find_obstacles(silent, "erp", "node2") == ["The agent of node2 does not answer."]


def test_a_pooler_that_does_not_answer_is_an_obstacle():
    poolers = {"client1": {"ready": False, "reason": "no route"}, "client2": {"ready": True, "reason": "serving"}}
    built = overview.build_overview(answers({**view("owner", "node1"), "poolers": poolers}, view("standby", "node1")))
    assert overview.find_obstacles(built, "erp", "node2") == ["Pooler client1 could not be paused: no route."]
    assert overview.find_obstacles(built, "erp", "node2", without_poolers=True) == []


def test_a_preview_is_shown_with_its_checks_first():
    preview = {
        "target": "node2",
        "checks": [{"name": "transactions", "ok": True, "detail": "nobody is in one"}],
        "steps": [
            {"node": "node1", "what": "unmount", "last_seconds": 0.25},
            {"node": "node2", "what": "mount", "last_seconds": None},
        ],
    }
    assert overview.render_preview(preview) == ["ok  transactions: nobody is in one", "node1  unmount  0.25 s", "node2  mount"]


def test_table_shows_owner_and_silence():
    built = overview.build_overview(answers(view("owner", "node1"), view("standby", "node1")))
    assert overview.render_table(built)[1].split()[:5] == ["erp", "owner", "node1", "2026", "10.0.0.5/24"]
    silent = overview.build_overview(answers(None, None))
    assert "no agent answers" in overview.render_table(silent)[1]
