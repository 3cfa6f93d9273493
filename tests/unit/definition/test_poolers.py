"""Poolers in the definition: what is refused, and what roles and nodes are told."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils.definition.inventory import Host, Inventory
from ansible_collections.holdfast.cluster.plugins.module_utils.definition.pooler_views import pooler_instances, pooler_logins
from ansible_collections.holdfast.cluster.plugins.module_utils.definition.resolve import resolve_site
from ansible_collections.holdfast.cluster.plugins.module_utils.errors import DefinitionError


@pytest.fixture
def clients(inventory: Inventory) -> Inventory:
    """The site with an application host, and one that is in another network."""
    hosts = {"client1": Host("client1", {"client": "10.20.0.101"}), "far1": Host("far1", {"mgmt": "10.20.9.7"})}
    return Inventory({**inventory.hosts, **hosts}, inventory.arrays)


def problems(definitions: dict[str, Any], inventory: Inventory, poolers: list[dict[str, Any]], package: int = 0) -> list[str]:
    definitions["holdfast_packages"][package]["poolers"] = poolers
    with pytest.raises(DefinitionError) as caught:
        resolve_site(definitions, inventory)
    return caught.value.details["problems"]


def test_a_pooler_is_resolved_with_its_address(definitions, clients) -> None:
    definitions["holdfast_packages"][0]["poolers"] = [{"host": "client1"}]
    site = resolve_site(definitions, clients)
    assert site["packages"][0]["poolers"] == [
        {"host": "client1", "address": "10.20.0.101", "port": 6432, "control_port": 6433, "pause_seconds": 5, "hold_seconds": 60}
    ]
    assert site["packages"][1]["poolers"] == []


def test_what_the_roles_are_told(definitions, clients) -> None:
    definitions["holdfast_packages"][0]["poolers"] = [{"host": "client1"}]
    site = resolve_site(definitions, clients)
    assert pooler_instances(site, "client1") == [
        {
            "package": "erp", "host": "client1", "address": "10.20.0.101", "port": 6432, "control_port": 6433,
            "target_address": "10.20.0.50", "target_port": 5432, "callers": ["10.20.0.11", "10.20.0.12", "10.20.0.50"],
        }
    ]  # fmt: skip
    assert pooler_instances(site, "far1") == []
    assert [login["data_directory"] for login in pooler_logins(site, "node2")] == ["/srv/erp/pgdata"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("node1", "poolers[0].host: node1 is a node of the cluster"),
        ("client9", "poolers[0].host: client9 is not a host of the inventory"),
        ("far1", "poolers[0].host: far1 has no address in the network of the first virtual address"),
    ],
)
def test_a_host_that_cannot_be_one(host: str, expected: str, definitions, clients) -> None:
    assert any(expected in problem for problem in problems(definitions, clients, [{"host": host}]))


def test_only_packages_with_postgresql_have_poolers(definitions, clients) -> None:
    found = problems(definitions, clients, [{"host": "client1"}], package=1)
    assert found == ["holdfast_packages[1].poolers: poolers are for packages with exactly one postgresql resource"]


def test_hosts_and_ports_are_used_once(definitions, clients) -> None:
    found = problems(definitions, clients, [{"host": "client1"}, {"host": "client1", "control_port": 6432}])
    assert sum("client1" in problem for problem in found) == 3
    assert any("port client1:6432 is already used by holdfast_packages[0].poolers[0].port" in problem for problem in found)
