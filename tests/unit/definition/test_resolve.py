"""What a right definition becomes."""

from __future__ import annotations

import json

from ansible_collections.holdfast.cluster.plugins.module_utils.definition import documents, views
from ansible_collections.holdfast.cluster.plugins.module_utils.definition.identity import lio_serial, lio_wwid
from ansible_collections.holdfast.cluster.plugins.module_utils.definition.resolve import resolve_site


def test_wwid_of_a_lun_is_known_from_its_names() -> None:
    # Seen on a lab node: multipath -ll of the map erp-data of cluster lab.
    assert lio_wwid(lio_serial("lab", "erp-data")) == "360014058be82cb0d9755838a9c04aacc"
    assert lio_wwid(lio_serial("lab", "erp-lock")) == "36001405e1295acd130e5303b96e78be9"


def test_package_document_has_the_agreed_shape(definitions, inventory) -> None:
    site = resolve_site(definitions, inventory)
    document = documents.package_documents(site, "node1")[0]
    assert document["storage"]["lock_lun"] == {"name": "erp-lock", "wwid": "36001405e1295acd130e5303b96e78be9"}
    assert document["storage"]["filesystems"] == [{"volume": "data", "fstype": "xfs", "path": "/srv/erp", "options": "noatime"}]
    assert document["resources"] == [
        {
            "name": "postgresql",
            "type": "postgresql",
            "version": "17",
            "port": 5432,
            "data_directory": "/srv/erp/pgdata",
        },
        {"name": "erp-app.service", "type": "systemd", "unit": "erp-app.service"},
        {"name": "oracle", "type": "ocf", "agent": "heartbeat:oracle", "parameters": {"sid": "ERP"}},
    ]
    assert (document["failback"], document["auto_start"]) == ("manual", True)


def test_node_document_names_heartbeat_addresses_only(definitions, inventory) -> None:
    document = documents.node_document(resolve_site(definitions, inventory), "node2")
    assert (document["node"], document["node_id"], document["watchdog"]) == ("node2", 2, "/dev/watchdog")
    assert document["nodes"]["node1"] == {"id": 1, "addresses": {"heartbeat": "10.20.3.11", "client": "10.20.0.11"}}


def test_same_definition_gives_the_same_text(definitions, inventory) -> None:
    texts = {documents.render_document(documents.node_document(resolve_site(definitions, inventory), "node1")) for _ in range(2)}
    assert len(texts) == 1
    assert json.loads(texts.pop())["schema"] == 1


def test_virtual_router_knows_its_source_and_its_peers(definitions, inventory) -> None:
    routers = resolve_site(definitions, inventory)["virtual_routers"]
    assert routers["node1"][0]["source"] == "10.20.0.11"
    assert routers["node1"][0]["peers"] == ["10.20.0.12"]


def test_resources_of_a_kind_get_names_of_their_own(definitions, inventory) -> None:
    second = {"ocf": {"agent": "heartbeat:oracle", "parameters": {"sid": "BI"}}}
    definitions["holdfast_packages"][0]["resources"].append(second)
    resources = resolve_site(definitions, inventory)["packages"][0]["resources"]
    assert [resource["name"] for resource in resources][-2:] == ["oracle", "oracle-2"]


def test_spare_lun_is_for_every_node(definitions, inventory) -> None:
    definitions["holdfast_luns"].append({"name": "spare", "size": "64 MiB"})
    site = resolve_site(definitions, inventory)
    assert views.lun_nodes(site, "spare") == ["node1", "node2"]


def test_lun_of_another_array_keeps_its_wwid(definitions, inventory) -> None:
    definitions["holdfast_luns"][1]["wwid"] = "3600508b400105e210000900000490000"
    lun = resolve_site(definitions, inventory)["luns"]["erp-data"]
    assert (lun["wwid"], lun["array"]) == ("3600508b400105e210000900000490000", None)


def test_volume_is_borrowed_only_by_the_node_that_prefers_it(definitions, inventory) -> None:
    site = resolve_site(definitions, inventory)
    assert [volume["package"] for volume in views.borrowed_volumes(site, "node1")] == ["erp"]
    assert [volume["package"] for volume in views.borrowed_volumes(site, "node2")] == ["shop"]


def test_database_knows_its_mount_point_and_clients(definitions, inventory) -> None:
    database = views.databases(resolve_site(definitions, inventory), "node1", "mariadb")[0]
    assert (database["mount_point"], database["client_networks"]) == ("/srv/shop", ["10.20.0.0/24"])


def test_host_entries_name_nodes_and_packages(definitions, inventory) -> None:
    entries = views.host_entries(resolve_site(definitions, inventory))
    assert "10.20.3.11 node1 node1-heartbeat" in entries
    assert "10.20.0.50 erp" in entries
