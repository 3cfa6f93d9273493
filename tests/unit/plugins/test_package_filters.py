"""Which agents a run restarts, and in which order."""

from __future__ import annotations

from ansible_collections.holdfast.cluster.plugins.filter.package import find_outdated

FRESH = {"node": {"stale": False}}


def test_an_agent_is_restarted_for_what_changed_and_for_what_a_cut_off_run_left():
    hostvars = {
        "same": {"seen": FRESH, "code": {"changed": False}, "definition": {"changed": False}},
        "code": {"seen": FRESH, "code": {"changed": True}, "definition": {"changed": False}},
        "definition": {"seen": FRESH, "code": {"changed": False}, "definition": {"changed": True}},
        "left": {"seen": {"node": {"stale": True}}, "code": {"changed": False}, "definition": {"changed": False}},
        "just started": {"seen": {"node": None}, "code": {"changed": True}, "definition": {"changed": True}},
        "unreachable": {},
    }
    assert find_outdated(list(hostvars), hostvars, "seen", ["code", "definition"]) == ["code", "definition", "left"]
