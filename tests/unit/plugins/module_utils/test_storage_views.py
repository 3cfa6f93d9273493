"""What the roles get from a resolved site."""

from __future__ import annotations

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils import storage_views as views
from ansible_collections.holdfast.cluster.plugins.module_utils.errors import DefinitionError

IQN = "iqn.2026-11.lab.holdfast"


def storage(lock, *luns):
    return {
        "lock_lun": {"name": lock}, "luns": [{"name": lun} for lun in luns], "volume_group": "vg_erp",
        "filesystems": [{"volume": "data", "size": "100%FREE", "fstype": "xfs", "path": "/srv/erp"}],
    }  # fmt: skip


def lun(name, array="san1"):
    return {"name": name, "size": "1 GiB", "size_bytes": 2**30, "wwid": f"wwid-{name}", "array": array, "serial": "s"}


SITE = {
    "cluster": {"name": "lab", "storage_networks": ["storage_a", "storage_b"]},
    "nodes": {
        f"node{n}": {"id": n, "addresses": {"storage_a": f"10.20.1.1{n}", "storage_b": f"10.20.2.1{n}"}} for n in (1, 2, 3)
    },
    "luns": {name: lun(name) for name in ("erp-lock", "erp-data", "spare")},
    "packages": [{"name": "erp", "nodes": ["node1", "node2"], "storage": storage("erp-lock", "erp-data")}],
}
ARRAY = {"storage_a": "10.20.1.5", "storage_b": "10.20.2.5", "mgmt": "10.20.9.5"}
SECRETS = {node: f"secret-of-{node}" for node in SITE["nodes"]}
MUTUAL = {node: f"mutual-of-{node}" for node in SITE["nodes"]}


def test_every_node_gets_a_name_and_two_equal_ones_are_refused():
    names = views.initiator_names(SITE, IQN, {"node2": "iqn.1993-08.org.debian:01:x"})
    assert names["node1"] == f"{IQN}:lab:node1"
    assert names["node2"] == "iqn.1993-08.org.debian:01:x"
    with pytest.raises(DefinitionError, match=r"node2: .* is already used by node1"):
        views.initiator_names(SITE, IQN, {"node2": f"{IQN}:lab:node1"})
    with pytest.raises(DefinitionError, match="no node is called"):
        views.initiator_names(SITE, IQN, {"node9": "iqn.1993-08.org.debian:01:x"})


def test_initiators_see_the_luns_of_their_packages_and_spares():
    names = views.initiator_names(SITE, IQN, {})
    seen = {i["name"]: i["luns"] for i in views.target_initiators(SITE, "san1", names, SECRETS, MUTUAL)}
    assert seen[f"{IQN}:lab:node1"] == ["erp-lock", "erp-data", "spare"]
    assert seen[f"{IQN}:lab:node3"] == ["spare"]


def test_missing_short_and_equal_secrets_come_at_once():
    with pytest.raises(DefinitionError) as caught:
        views.node_chap(SITE, "node1", {"node1": "short", "node2": "the-same-secret"}, {**MUTUAL, "node2": "the-same-secret"})
    assert [problem.split(":")[0] for problem in caught.value.details["problems"]] == [
        "holdfast_chap_secrets.node1", "holdfast_chap_mutual_secrets.node2", "holdfast_chap_secrets.node3",
    ]  # fmt: skip


def test_portals_of_array_and_node_agree():
    assert views.target_portals(SITE, ARRAY)[1] == {"network": "storage_b", "address": "10.20.2.5", "port": 3260}
    assert views.node_portals(SITE, "node1", IQN, {"san1": ARRAY}) == [
        {"target": f"{IQN}:lab:san1:storage-a", "portal": "10.20.1.5:3260"},
        {"target": f"{IQN}:lab:san1:storage-b", "portal": "10.20.2.5:3260"},
    ]
    with pytest.raises(DefinitionError, match="storage_b: is missing"):
        views.target_portals(SITE, {"storage_a": "10.20.1.5"})


def test_a_node_without_a_lun_logs_in_to_every_array():
    site = {**SITE, "luns": {name: lun(name) for name in ("erp-lock", "erp-data")}}
    assert views.node_maps(site, "node3") == []
    assert views.node_portals(site, "node3", IQN, {"san1": ARRAY}) == views.node_portals(site, "node1", IQN, {"san1": ARRAY})
    other = {**site["luns"], "shop-lock": lun("shop-lock", "san2")}
    packages = [*SITE["packages"], {"name": "shop", "nodes": ["node2"], "storage": storage("shop-lock")}]
    site = {**site, "luns": other, "packages": packages}
    reached = {
        node: {portal["target"].split(":")[2] for portal in views.node_portals(site, node, IQN, {"san1": ARRAY, "san2": ARRAY})}
        for node in SITE["nodes"]
    }
    assert reached == {"node1": {"san1"}, "node2": {"san1", "san2"}, "node3": {"san1", "san2"}}


def test_only_the_nodes_of_the_same_network_reach_a_portal():
    assert views.target_sources(SITE, ARRAY)[0] == {
        "address": "10.20.1.5", "sources": ["10.20.1.11", "10.20.1.12", "10.20.1.13"],
    }  # fmt: skip


def test_luns_are_files_unless_a_device_is_named():
    luns = views.target_luns(SITE, "san1", "/luns", {"spare": "/dev/vdb"})
    assert [(row["name"], row["plugin"], row["path"]) for row in luns] == [
        ("erp-lock", "fileio", "/luns/erp-lock"), ("erp-data", "fileio", "/luns/erp-data"), ("spare", "block", "/dev/vdb"),
    ]  # fmt: skip


def test_maps_and_groups_of_a_node():
    assert [(row["name"], row["paths"]) for row in views.node_maps(SITE, "node3")] == [("spare", 2)]
    groups = {node: views.node_volume_groups(SITE, node) for node in SITE["nodes"]}
    assert groups["node3"] == []
    assert [groups[node][0]["create"] for node in ("node1", "node2")] == [True, False]
    assert groups["node1"][0]["devices"] == ["/dev/mapper/erp-data"]
