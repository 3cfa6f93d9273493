"""What a new definition means for a package that runs."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils.definition.changes import find_refused, plan_packages
from ansible_collections.holdfast.cluster.plugins.module_utils.definition.documents import package_document
from ansible_collections.holdfast.cluster.plugins.module_utils.definition.resolve import resolve_site


@pytest.fixture
def site(definitions, inventory) -> dict[str, Any]:
    return resolve_site(definitions, inventory)


@pytest.fixture
def deployed(site) -> dict[str, Any]:
    return {
        package["name"]: {"document": copy.deepcopy(package_document(package)), "owner": package["nodes"][0]}
        for package in site["packages"]
    }


def change_of(name: str, site: dict[str, Any], deployed: dict[str, Any]) -> str:
    return next(change["change"] for change in plan_packages(site, deployed) if change["package"] == name)


def test_same_definition_is_the_same(site, deployed) -> None:
    assert {change["change"] for change in plan_packages(site, deployed)} == {"same"}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("failback", "automatic", "stays"),
        ("objectives", {}, "stays"),
        ("nodes", ["node2", "node1"], "stays"),
        ("poolers", [{"host": "client1"}], "stays"),
        ("virtual_addresses", [], "reconnects"),
        ("resources", [], "restarts"),
    ],
)
def test_change_of_a_key(key, value, expected, site, deployed) -> None:
    deployed["erp"]["document"][key] = value
    assert change_of("erp", site, deployed) == expected


def test_storage_stops_it_and_the_worst_counts(site, deployed) -> None:
    deployed["erp"]["document"]["failback"] = "automatic"
    deployed["erp"]["document"]["storage"]["volume_group"] = "vg_old"
    assert change_of("erp", site, deployed) == "stops"


def test_owner_that_is_no_longer_a_node_moves_it(site, deployed) -> None:
    deployed["erp"]["owner"] = "node3"
    deployed["erp"]["document"]["nodes"] = ["node3", "node1"]
    assert change_of("erp", site, deployed) == "moves"
    for allowed in ("stays", "stops"):
        (refused,) = find_refused(plan_packages(site, deployed), [allowed])
        assert "its owner node3 is no longer one of its nodes; move it first" in refused


def test_new_and_removed_packages(site, deployed) -> None:
    deployed["old"] = deployed.pop("shop")
    assert (change_of("shop", site, deployed), change_of("old", site, deployed)) == ("new", "stops")


@pytest.mark.parametrize(("allowed", "refused"), [("stays", 1), ("restarts", 1), ("stops", 0)])
def test_only_what_is_allowed_passes(allowed, refused, site, deployed) -> None:
    deployed["erp"]["document"]["storage"]["volume_group"] = "vg_old"
    assert len(find_refused(plan_packages(site, deployed), [allowed])) == refused
