"""Virtual router ids: no two routers of a cluster share one, and what is added later disturbs nobody."""

from __future__ import annotations

import ipaddress
from typing import Any

from ansible_collections.holdfast.cluster.plugins.module_utils.definition.virtual_router import assign_router_ids

Ids = dict[tuple[str, str, str], int]


def cluster(nodes: int) -> dict[str, Any]:
    return {"nodes": [{"name": f"node{number}", "id": number} for number in range(1, nodes + 1)]}


def package(name: str, *addresses: str, nodes: int = 2) -> dict[str, Any]:
    return {
        "name": name,
        "nodes": [f"node{number}" for number in range(nodes, 0, -1)],
        "virtual_addresses": [{"address": address, "interface": f"lan{n}"} for n, address in enumerate(addresses)],
    }


def neighbours(count: int, nodes: int) -> list[dict[str, Any]]:
    first = ipaddress.ip_address("10.20.0.50")
    return [package(f"p{number}", f"{first + number}/24", nodes=nodes) for number in range(count)]


def assert_unique(ids: Ids, count: int) -> None:
    assert len(ids) == len(set(ids.values())) == count
    assert all(1 <= number <= 255 for number in ids.values())


def test_ids_of_one_package_follow_from_its_address() -> None:
    assert assign_router_ids([package("erp", "10.20.0.50/24")], cluster(2)) == {
        ("erp", "lan0", "node1"): 82,
        ("erp", "lan0", "node2"): 83,
    }


def test_neighbouring_addresses_do_not_share_an_id_on_two_nodes() -> None:
    ids = assign_router_ids(neighbours(2, nodes=2), cluster(2))
    assert_unique(ids, 4)
    assert (ids["p0", "lan0", "node2"], ids["p1", "lan0", "node2"]) == (83, 84)


def test_ids_are_unique_for_many_packages_nodes_and_interfaces() -> None:
    assert_unique(assign_router_ids(neighbours(8, nodes=4), cluster(4)), 32)
    assert_unique(assign_router_ids([package("erp", "10.20.0.50/24", "10.20.0.51/24", "10.20.1.49/16")], cluster(3)), 6)


def test_every_id_can_be_used() -> None:
    assert_unique(assign_router_ids(neighbours(51, nodes=5), cluster(5)), 255)


def test_a_package_that_is_added_at_the_end_changes_no_id() -> None:
    before = assign_router_ids(neighbours(7, nodes=3), cluster(3))
    assert before.items() <= assign_router_ids(neighbours(8, nodes=3), cluster(3)).items()
