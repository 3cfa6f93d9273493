"""A site that is right; tests break one thing at a time."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils.definition.inventory import Host, Inventory

DEFINITIONS: dict[str, Any] = {
    "holdfast_cluster": {
        "name": "lab",
        "profile": "fast",
        "nodes": [{"name": "node1", "id": 1}, {"name": "node2", "id": 2}],
        "heartbeat_networks": ["heartbeat", "client"],
        "storage_networks": ["storage_a", "storage_b"],
        "witness": ["10.20.0.1"],
    },
    "holdfast_luns": [
        {"name": "erp-lock", "size": "64 MiB"},
        {"name": "erp-data", "size": "4 GiB"},
        {"name": "shop-lock", "size": "64 MiB"},
        {"name": "shop-data", "size": "4 GiB"},
    ],
    "holdfast_packages": [
        {
            "name": "erp",
            "nodes": ["node1", "node2"],
            "virtual_addresses": [{"address": "10.20.0.50/24", "interface": "client"}],
            "storage": {
                "lock_lun": "erp-lock",
                "luns": ["erp-data"],
                "volume_group": "vg_erp",
                "filesystems": [{"volume": "data", "size": "100%FREE", "fstype": "xfs", "path": "/srv/erp"}],
            },
            "resources": [
                {"postgresql": {"version": 17, "port": 5432, "data_directory": "/srv/erp/pgdata"}},
                {"systemd": "erp-app.service"},
                {"ocf": {"agent": "heartbeat:oracle", "parameters": {"sid": "ERP"}}},
            ],
        },
        {
            "name": "shop",
            "nodes": ["node2", "node1"],
            "virtual_addresses": [{"address": "10.20.0.51/24", "interface": "client"}],
            "storage": {
                "lock_lun": "shop-lock",
                "luns": ["shop-data"],
                "volume_group": "vg_shop",
                "filesystems": [{"volume": "data", "size": "1 GiB", "fstype": "ext4", "path": "/srv/shop"}],
            },
            "resources": [{"mariadb": {"version": "11.8", "port": 3306, "data_directory": "/srv/shop/mysql"}}],
        },
    ],
}
NETWORKS = {"client": "10.20.0", "heartbeat": "10.20.3", "storage_a": "10.20.1", "storage_b": "10.20.2"}


@pytest.fixture
def definitions() -> dict[str, Any]:
    """A copy that a test may change."""
    return copy.deepcopy(DEFINITIONS)


@pytest.fixture
def inventory() -> Inventory:
    """Two nodes on four networks and one array."""
    nodes = {
        name: Host(name, {network: f"{prefix}.{number}" for network, prefix in NETWORKS.items()})
        for name, number in (("node1", 11), ("node2", 12))
    }
    array = Host("san1", {"storage_a": "10.20.1.5", "storage_b": "10.20.2.5"})
    return Inventory({**nodes, "san1": array}, ("san1",))
