"""A runbook bound to a site: hosts for roles, addresses for networks, reasons for what cannot run."""

from __future__ import annotations

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils.faults.base import Context
from ansible_collections.holdfast.cluster.plugins.module_utils.faults.registry import KINDS, build_fault

from holdfast.drill.errors import DrillError
from holdfast.drill.plan import bind_roles, describe_plan, obstacles, plan_faults, resolve_parameters
from holdfast.drill.runbook.faults import load_fault_kinds
from tests.unit.drill.scripts import catalogue
from tests.unit.drill.site_view import PACKAGE, view

ALL_ABILITIES = frozenset({"power", "freeze", "cable"})
VIEW = view()
ROLES = bind_roles(VIEW, "node1")


def test_roles_follow_the_owner_of_the_moment() -> None:
    assert bind_roles(VIEW, "node2").as_mapping() == {
        "owner": "node2", "standby": "node1", "any_standby": "node1", "array": "san1", "client": "client1",
    }  # fmt: skip
    assert ROLES.hosts("all_nodes") == ("node1", "node2")


def test_networks_of_a_site_are_found_by_what_they_are_for() -> None:
    assert VIEW.client_network == "client"
    assert VIEW.storage_networks == ("storage_a", "storage_b")
    named = view(holdfast_cluster={"storage_networks": ["storage_b"]})
    assert named.storage_networks == ("storage_b",)


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("network_drop", {"network": "client", "peers": [], "direction": "both"},
         {"addresses": ["10.20.0.11"], "peers": [], "direction": "both"}),
        ("network_drop", {"network": "between_nodes", "peers": ["standby"]},
         {"addresses": ["10.20.3.11", "10.20.0.11"], "peers": ["10.20.3.12", "10.20.0.12"]}),
        ("path_cut", {"network": "storage_second"}, {"addresses": ["10.20.2.11"]}),
        ("all_paths_cut", {}, {"addresses": ["10.20.1.11", "10.20.2.11"]}),
        ("storage_slow", {"milliseconds": 5}, {"milliseconds": 5}),
        ("network_delay", {"network": "storage", "milliseconds": 5},
         {"addresses": ["10.20.1.11", "10.20.2.11"], "milliseconds": 5}),
        ("cable_pull", {"network": "heartbeat"}, {"network": "heartbeat", "address": "10.20.3.11"}),
        ("clock_jump", {"seconds": 5}, {"seconds": 5}),
    ],
)  # fmt: skip
def test_words_of_the_runbook_become_addresses(kind: str, given: dict[str, object], expected: dict[str, object]) -> None:
    assert resolve_parameters(kind, given, VIEW, ROLES, "node1") == expected


def test_node_faults_of_the_catalogue_and_of_the_module_are_the_same() -> None:
    assert {k.name for k in load_fault_kinds().values() if k.layer == "node"} == set(KINDS)


@pytest.mark.parametrize("name", sorted(catalogue().runbooks))
def test_every_fault_of_every_runbook_is_accepted_by_the_module(name: str) -> None:
    for step in catalogue().runbooks[name].faults:
        for fault in plan_faults(step, VIEW, ROLES):
            if fault.layer == "node":
                build_fault(step.kind, Context(fault.id, dict(fault.parameters), PACKAGE))


@pytest.mark.parametrize("name", sorted(catalogue().runbooks))
def test_every_runbook_has_a_plan_that_names_hosts(name: str) -> None:
    runbook = catalogue().runbooks[name]
    text = describe_plan(runbook, VIEW, ROLES)
    assert "node1" in text and all(step.name in text for step in runbook.steps)
    assert not list(obstacles(runbook, VIEW, ALL_ABILITIES))


def test_what_a_site_lacks_is_said_all_at_once() -> None:
    runbook = catalogue().runbooks["owner_frozen"]
    assert list(obstacles(runbook, VIEW, frozenset())) == ["needs a way to control freeze, and the inventory names none"]
    single = view(holdfast_cluster={"storage_networks": ["storage_a"]})
    assert list(obstacles(catalogue().runbooks["path_cut"], single, ALL_ABILITIES)) == ["needs a second storage network"]


def test_a_role_without_a_host_is_refused_in_words() -> None:
    lonely = bind_roles(VIEW, "node1")
    with pytest.raises(DrillError, match="no network in the role storage_second"):
        single = view(holdfast_cluster={"storage_networks": ["storage_a"]})
        resolve_parameters("path_cut", {"network": "storage_second"}, single, lonely, "node1")
