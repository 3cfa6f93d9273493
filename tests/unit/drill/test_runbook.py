"""Runbooks: every problem at once with its line, defaults, names, and a reference page that matches."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.drill.runbook.catalogue import UnknownRunbook, load_catalogue
from holdfast.drill.runbook.model import FaultStep, Runbook, WaitStep
from holdfast.drill.runbook.parse import parse_runbook
from holdfast.drill.runbook.reference import render_reference
from holdfast.drill.runbook.shape import CATEGORIES
from tests.unit.drill.scripts import RUNBOOKS, catalogue

GOOD = """---
name: sample
title: A sample
purpose: To see that it is read.
category: node
disruption: outage
steps:
  - fault: {kind: network_drop, target: owner, parameters: {network: client}}
  - name: It comes back
    wait: {for: package_owned, target: standby}
expect:
  owner: standby
  outage: {seconds: 7}
must_catch: [lost_row]
"""

# Each line: what to replace in GOOD, by what, and the problem that must be reported, with its line.
BROKEN = [
    ("category: node", "category: nodes", "sample.yml:5: category: 'nodes' is not one of"),
    ("title: A sample", "titel: A sample", "sample.yml:3: titel: unknown key (did you mean 'title'?)"),
    ("title: A sample\n", "", "key 'title' is missing"),
    ("kind: network_drop", "kind: network_dorp", "(did you mean 'network_drop'?)"),
    ("network: client", "network: clint", "sample.yml:8: steps[0].fault.parameters.network: 'clint'"),
    ("parameters: {network: client}", "parameters: {}", "steps[0].fault.parameters: key 'network' is missing"),
    ("target: owner,", "target: client,", "network_drop can hit owner, standby, any_standby, array, not client"),
    ("for: package_owned, target: standby", "for: package_owned", "steps[1].wait: package_owned needs a target"),
    ("name: sample", "name: other", "name: is 'other', the file is 'sample'"),
    ("    wait: {", "    wiat: {", "needs exactly one of fault, wait,"),
    ("must_catch: [lost_row]", "must_catch: []", "needs at least 1 item(s)"),
    ("seconds: 7", "seconds: soon", "sample.yml:13: expect.outage.seconds: must be a number, is 'soon'"),
    ("steps:\n", "steps:\n  - heal: {fault: nothing}\n", "no earlier fault is called 'nothing'"),
    ("title: A sample", "title: A sample\ntitle: B", "sample.yml:4: title: written twice"),
    ("purpose: To", "purpose: [To", "not YAML"),
]


def problems(text: str) -> list[str]:
    result = parse_runbook(text, "sample.yml")
    assert not isinstance(result, Runbook)
    return [str(problem) for problem in result]


def test_a_good_runbook_is_read_with_its_defaults() -> None:
    runbook = parse_runbook(GOOD, "sample.yml")
    assert isinstance(runbook, Runbook)
    assert runbook.expect.outage == 7.0
    assert runbook.expect.moves == 1
    assert runbook.steps[0].action == FaultStep(
        "network_drop", "network_drop", "owner", {"network": "client", "peers": [], "direction": "both"}, 120, "driver"
    )
    assert runbook.steps[1].name == "It comes back"
    assert isinstance(runbook.steps[1].action, WaitStep)
    assert "clients_served" in runbook.entrance


@pytest.mark.parametrize(("old", "new", "expected"), BROKEN)
def test_a_problem_is_reported_with_its_place(old: str, new: str, expected: str) -> None:
    assert old in GOOD
    assert any(expected in problem for problem in problems(GOOD.replace(old, new)))


def test_all_problems_are_reported_at_once() -> None:
    text = GOOD.replace("category: node", "category: x").replace("outage: {seconds: 7}", "outage: long")
    found = problems(text.replace("target: owner", "target: somebody"))
    assert len(found) == 3
    assert [int(p.split(":")[1]) for p in found] == sorted(int(p.split(":")[1]) for p in found)


def test_two_faults_of_a_kind_need_names_of_their_own() -> None:
    line = "  - fault: {kind: network_drop, target: owner, parameters: {network: client}}\n"
    assert "a second fault called 'network_drop'" in problems(GOOD.replace(line, line + line))[0]


def test_every_shipped_runbook_is_valid() -> None:
    loaded = load_catalogue([RUNBOOKS])
    assert not loaded.problems
    assert len(loaded.runbooks) == len(list(RUNBOOKS.glob("*.yml")))
    assert {r.category for r in loaded.runbooks.values()} == set(CATEGORIES)


@pytest.mark.parametrize("name", sorted(catalogue().runbooks))
def test_a_time_to_live_is_longer_than_the_steps_that_need_the_fault(name: str) -> None:
    """A fault that heals itself in the middle of the act would turn the drill into a different one."""
    runbook = catalogue().runbooks[name]
    held = sum(s.action.seconds for s in runbook.steps if isinstance(s.action, WaitStep) and s.action.what == "seconds")
    for fault in runbook.faults:
        assert fault.heal == "timer" or fault.ttl_seconds > held, fault


def test_a_runbook_is_found_by_the_name_of_another_product() -> None:
    assert catalogue().find("CLSTRMGR_KILL").name == "owner_crash"
    assert catalogue().find("owner_crash").name == "owner_crash"


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(UnknownRunbook, match="did you mean 'owner_crash'"):
        catalogue().find("owner_crsh")


def test_a_name_shared_by_two_runbooks_has_to_be_decided_by_the_user() -> None:
    with pytest.raises(UnknownRunbook, match="choose one"):
        catalogue().find("F45")


def test_the_reference_page_is_up_to_date() -> None:
    page = Path(__file__).parents[3] / "docs" / "runbook_schema.md"
    assert page.read_text() == render_reference()
