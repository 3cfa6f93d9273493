"""Every wrong definition is told with its path, and all of them at once."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils.definition.inventory import Host, Inventory
from ansible_collections.holdfast.cluster.plugins.module_utils.definition.resolve import resolve_site
from ansible_collections.holdfast.cluster.plugins.module_utils.errors import DefinitionError

ERP = ("holdfast_packages", 0)
SHOP = ("holdfast_packages", 1)
#: (where to break it, the broken value, the problem that must be told)
CASES = [
    (("holdfast_cluster", "name"), "Lab", "holdfast_cluster.name: 'Lab' is not lower case"),
    (("holdfast_cluster", "name"), None, "holdfast_cluster.name: is missing"),
    (("holdfast_cluster", "profile"), "quick", "holdfast_cluster.profile: 'quick' is not one of fast, standard"),
    (("holdfast_cluster", "color"), "red", "holdfast_cluster.color: unknown key"),
    (("holdfast_cluster", "nodes", 1, "name"), "node9", "nodes[1].name: node9 is not a host of the inventory"),
    (("holdfast_cluster", "nodes", 1, "id"), 1, "nodes[1].id: node id 1 is already used by holdfast_cluster.nodes[0].id"),
    (("holdfast_cluster", "nodes", 1, "id"), 256, "nodes[1].id: 256 is above 255"),
    (("holdfast_cluster", "nodes", 1, "id"), "two", "nodes[1].id: must be a whole number, not str"),
    (("holdfast_cluster", "nodes"), [{"name": "node1", "id": 1}], "a cluster needs at least two nodes"),
    (("holdfast_cluster", "heartbeat_networks"), ["moon"], "heartbeat_networks[0]: node1 has no address on network moon"),
    (("holdfast_cluster", "witness"), ["10.20.0.300"], "witness[0]: '10.20.0.300' is not an address"),
    (("holdfast_cluster", "witness"), ["10.20.0.11"], "witness[0]: 10.20.0.11 belongs to node1"),
    (("holdfast_cluster", "witness"), [], "holdfast_cluster.witness: is empty"),
    (("holdfast_luns",), None, "holdfast_luns: is missing"),
    (("holdfast_luns", 0, "size"), "64", None),
    (("holdfast_luns", 0, "size"), "8 MiB", "storage.lock_lun: erp-lock is too small; a lock LUN needs 16 MiB"),
    (("holdfast_luns", 0, "size"), "big", "holdfast_luns[0].size: 'big' is not a size"),
    (("holdfast_luns", 0, "name"), "erp-lockp1", "holdfast_luns[0].name: 'erp-lockp1' is not as a package name"),
    (("holdfast_luns", 1, "size"), "200 MiB", "holdfast_packages[0].storage.luns: too small: 300 MiB needed"),
    (("holdfast_luns", 1, "array"), "san9", "holdfast_luns[1].array: san9 is not a host of group array"),
    (("holdfast_luns", 1, "name"), "erp-lock", "holdfast_luns[1].name: LUN erp-lock is already used by holdfast_luns[0]"),
    ((*SHOP, "storage", "luns"), ["erp-data"], "holdfast_packages[1].storage.luns[0]: LUN erp-data is already used"),
    ((*SHOP, "storage", "luns"), ["none"], "holdfast_packages[1].storage.luns[0]: none is not in holdfast_luns"),
    ((*SHOP, "storage", "lock_lun"), "shop-data", "storage.luns[0]: LUN shop-data is already used"),
    ((*SHOP, "name"), "erp", "holdfast_packages[1].name: package erp is already used"),
    ((*ERP, "nodes"), ["node1", "node7"], "holdfast_packages[0].nodes[1]: node7 is not in holdfast_cluster.nodes"),
    ((*ERP, "nodes"), ["node1"], "holdfast_packages[0].nodes: one node cannot fail over"),
    ((*ERP, "nodes"), ["node1", "node1"], "holdfast_packages[0].nodes[1]: node node1 is already used"),
    ((*ERP, "virtual_addresses", 0, "address"), "10.20.0.50", "address: '10.20.0.50' is not an address with a prefix"),
    ((*ERP, "virtual_addresses", 0, "address"), "10.20.0.11/24", "address: 10.20.0.11 belongs to node1"),
    ((*ERP, "virtual_addresses", 0, "address"), "10.20.0.1/24", "address: 10.20.0.1 belongs to the witness"),
    ((*ERP, "virtual_addresses", 0, "address"), "10.20.0.0/24", "is the network or broadcast address"),
    ((*ERP, "virtual_addresses", 0, "address"), "10.99.0.5/24", "address: node1 has no address of its own in 10.99.0.0/24"),
    ((*SHOP, "virtual_addresses", 0, "address"), "10.20.0.50/24", "virtual address 10.20.0.50 is already used by"),
    ((*SHOP, "storage", "volume_group"), "vg_erp", "storage.volume_group: volume group vg_erp is already used"),
    ((*SHOP, "storage", "filesystems", 0, "path"), "/srv/erp/shop", "/srv/erp/shop and /srv/erp of"),
    ((*SHOP, "storage", "filesystems", 0, "path"), "/srv/erp", "path: /srv/erp is already mounted by"),
    ((*SHOP, "storage", "filesystems", 0, "path"), "/usr/shop", "path: /usr/shop belongs to the system"),
    ((*SHOP, "storage", "filesystems", 0, "path"), "/var", "path: /var belongs to the system"),
    ((*SHOP, "storage", "filesystems", 0, "fstype"), "btrfs", "fstype: 'btrfs' is not one of xfs, ext4"),
    ((*SHOP, "storage", "filesystems", 0, "size"), "100%", "size: '100%' is not a size"),
    ((*SHOP, "storage", "filesystems", 0, "size"), "10 MiB", "size: ext4 needs at least 64 MiB"),
    ((*SHOP, "storage", "filesystems", 0, "size"), "5 GiB", "holdfast_packages[1].storage.luns: too small: 5120 MiB needed"),
    ((*SHOP, "resources", 0), {}, "holdfast_packages[1].resources[0]: must name exactly one class, not 0"),
    ((*SHOP, "resources", 0, "systemd"), "x.service", "resources[0]: must name exactly one class, not 2"),
    ((*SHOP, "resources", 0, "mariadb", "port"), 5432, "mariadb.port: port 5432 is already used by"),
    ((*SHOP, "resources", 0, "mariadb", "port"), 0, "mariadb.port: 0 is below 1"),
    ((*SHOP, "resources", 0, "mariadb", "data_directory"), "/srv/shop", "/srv/shop is not below a file system"),
    ((*SHOP, "resources", 0, "mariadb", "data_directory"), "/srv/erp/x", "/srv/erp/x is not below a file system"),
    ((*ERP, "resources", 1, "systemd"), "erp-app", "resources[1].systemd: 'erp-app' is not a unit name"),
    ((*ERP, "resources", 2, "ocf", "agent"), "oracle", "ocf.agent: 'oracle' is not provider:agent"),
    ((*ERP, "objectives"), {"takeover_seconds": 0}, "objectives.takeover_seconds: 0 is below 0.1"),
]


def break_at(value: Any, path: tuple[Any, ...], broken: Any) -> None:
    """Put a broken value into the definitions; None takes the key away."""
    for key in path[:-1]:
        value = value[key]
    if broken is None:
        del value[path[-1]]
    else:
        value[path[-1]] = broken


def find_problems(definitions: dict[str, Any], inventory: Inventory) -> list[str]:
    try:
        resolve_site(definitions, inventory)
    except DefinitionError as error:
        return list(error.details["problems"])
    return []


@pytest.mark.parametrize(("path", "broken", "expected"), CASES)
def test_problem_is_told_with_its_path(path, broken, expected, definitions, inventory) -> None:
    break_at(definitions, path, broken)
    problems = find_problems(definitions, inventory)
    if expected is None:
        expected = "a lock LUN needs 16 MiB"  # 64 bytes: a number without a unit is a size, and too small
    assert any(expected in problem for problem in problems), problems


def test_right_definition_has_no_problem(definitions, inventory) -> None:
    assert find_problems(definitions, inventory) == []


def test_all_problems_come_at_once(definitions, inventory) -> None:
    definitions["holdfast_cluster"]["profile"] = "quick"
    definitions["holdfast_luns"][0]["size"] = "8 MiB"
    definitions["holdfast_packages"][1]["storage"]["volume_group"] = "vg_erp"
    definitions["holdfast_packages"][1]["virtual_addresses"][0]["address"] = "10.20.0.50/24"
    assert len(find_problems(definitions, inventory)) == 4


def test_wrong_shape_anywhere_is_a_problem_and_not_a_crash(inventory) -> None:
    for value in ("text", 5, [], {}, ["text"], [None], [[]], {"nodes": "x"}, [{"storage": "x", "resources": "y"}]):
        broken = dict.fromkeys(("holdfast_cluster", "holdfast_luns", "holdfast_packages"), value)
        assert find_problems(broken, inventory)


def test_hosts_with_the_same_address_and_empty_secrets_are_told(definitions, inventory) -> None:
    hosts = {**inventory.hosts, "client1": Host("client1", {"client": "10.20.0.12"})}
    problems = find_problems(definitions, Inventory(hosts, inventory.arrays, {"holdfast_secrets.cluster_key": ""}))
    assert "client1.holdfast_addresses.client: address 10.20.0.12 is already used by node2.holdfast_addresses.client" in problems
    assert any(problem.startswith("holdfast_secrets.cluster_key: secret has no value") for problem in problems)


def test_packages_without_virtual_router_ids_left_are_told(definitions, inventory) -> None:
    shop = definitions["holdfast_packages"][1]
    shop["virtual_addresses"] = [{"address": f"10.20.0.{n}/24", "interface": f"lan{n}"} for n in range(100, 227)]
    definitions["holdfast_packages"].append({**shop, "name": "third"})
    definitions["holdfast_cluster"]["profile"] = "quick"
    problems = [problem for problem in find_problems(definitions, inventory) if "virtual router" in problem or "quick" in problem]
    needs = "virtual_addresses: needs 254 virtual router ids, one for each interface and node; 253 of 255 are left"
    assert problems[1:] == [f"holdfast_packages[1].{needs}", f"holdfast_packages[2].{needs}"]
    assert "quick" in problems[0]
