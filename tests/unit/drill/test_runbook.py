"""Runbooks: every problem at once with its line, defaults, names, and a reference page that matches."""

from __future__ import annotations

import re
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


def test_what_refers_to_a_misspelt_fault_is_no_second_mistake_and_the_rest_is_checked_all_the_same() -> None:
    """Shape and meaning in one pass: nobody mends one line only to be told about the next."""
    text = GOOD.replace("target: owner,", "target: nobody,").replace("name: sample", "name: other").replace(
        ", target: standby}", "}\n  - heal: {fault: network_drop}\n  - heal: {fault: flood}")
    found = problems(text)
    assert [problem.split(": ", 1)[1].split(":")[0] for problem in found] == [
        "name", "steps[0].fault.target", "steps[1].wait", "steps[3].heal.fault"], found


def test_a_playbook_s_variables_name_roles() -> None:
    step = "steps:\n  - playbook: {file: playbooks/x.yml, variables: {node: '{stanby}', half: '{', flat: 7, good: '{standby}'}}\n"
    found = problems(GOOD.replace("steps:\n", step))
    assert len(found) == 2
    assert "variables.node: {stanby} is not one of owner, standby" in found[0] and "did you mean 'standby'" in found[0]


def test_a_playbook_that_is_not_there_is_said_before_anything_is_broken(tmp_path: Path) -> None:
    file = tmp_path / "runbooks" / "sample.yml"
    file.parent.mkdir()
    file.write_text(GOOD.replace("steps:\n", "steps:\n  - playbook: {file: playbooks/x.yml}\n"))
    assert "there is no playbooks/x.yml" in str(load_catalogue([file.parent]).problems[0])
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "x.yml").touch()
    assert not load_catalogue([file.parent]).problems


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
    with pytest.raises(UnknownRunbook, match=r"^no runbook 'x'; all of them: holdfast drill list$"):
        catalogue().find("x")


# IBM's published list of the Cluster Test Tool's tests; what it has and this does not is said in the page.
POWERHA = ("FAIL_LABEL", "JOIN_LABEL", "NETWORK_UP_GLOBAL", "NETWORK_DOWN_GLOBAL", "NETWORK_UP_LOCAL", "NETWORK_DOWN_LOCAL",
           "NETWORK_UP_NONIP", "NETWORK_DOWN_NONIP", "NODE_UP", "NODE_DOWN_GRACEFUL", "NODE_DOWN_TAKEOVER", "NODE_DOWN_FORCED",
           "CLSTRMGR_KILL", "RG_MOVE", "RG_MOVE_SITE", "RG_OFFLINE", "RG_ONLINE", "SERVER_DOWN", "VG_DOWN", "WAIT")  # fmt: skip
NOT_HERE = ("RG_MOVE_SITE", "NETWORK_DOWN_NONIP", "NETWORK_UP_NONIP", "WAIT")


@pytest.mark.parametrize("name", POWERHA)
def test_every_test_of_powerha_s_tool_leads_to_the_runbooks_that_the_page_names(name: str) -> None:
    page = (Path(__file__).parents[3] / "docs" / "drills.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ") and name in re.findall(r"[A-Z_]+", line.split("|")[1])]
    (row,) = rows
    named = [word for word in re.findall(r"[a-z_]+", row.split("|")[2]) if word in catalogue().runbooks]
    if name in NOT_HERE:
        assert not named
        return
    try:
        found = [catalogue().find(name).name]
    except UnknownRunbook as error:
        found = str(error).split(" is any of ")[1].removesuffix(": choose one").split(", ")
    assert found == named[: len(found)] or sorted(found) == sorted(named)


def test_a_name_is_found_with_its_parameters_too() -> None:
    assert catalogue().find("NODE_UP ALL").name == "both_nodes_start"
    with pytest.raises(UnknownRunbook, match="both_nodes_start, one_node_starts_alone, rolling_reboot: choose one"):
        catalogue().find("NODE_UP")


def test_a_name_shared_by_two_runbooks_has_to_be_decided_by_the_user() -> None:
    with pytest.raises(UnknownRunbook, match="choose one"):
        catalogue().find("F45")


def test_the_reference_page_is_up_to_date() -> None:
    page = Path(__file__).parents[3] / "docs" / "runbook_schema.md"
    assert page.read_text() == render_reference()
