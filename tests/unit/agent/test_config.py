"""The files that the agent reads, in the shape that the package role writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from holdfast_agent.config import LunName, Resource, VirtualAddress, load_node, load_packages
from holdfast_agent.errors import ConfigurationError

NODE: dict[str, Any] = {
    "schema": 1,
    "cluster": "lab",
    "node": "node1",
    "node_id": 1,
    "nodes": {
        "node1": {"id": 1, "addresses": {"heartbeat": "10.20.3.11", "client": "10.20.0.11"}},
        "node2": {"id": 2, "addresses": {"heartbeat": "10.20.3.12", "client": "10.20.0.12"}},
    },
    "heartbeat_networks": ["heartbeat", "client"],
    "witness": ["10.20.0.1"],
    "profile": "fast",
    "watchdog": "/dev/watchdog1",
}
PACKAGE: dict[str, Any] = {
    "schema": 1,
    "name": "erp",
    "nodes": ["node1", "node2"],
    "failback": "manual",
    "auto_start": True,
    "virtual_addresses": [{"address": "10.20.0.50/24", "interface": "client"}],
    "storage": {
        "lock_lun": {"name": "erp-lock", "wwid": "3600a"},
        "luns": [{"name": "erp-data", "wwid": "3600b"}],
        "volume_group": "vg_erp",
        "filesystems": [{"volume": "data", "fstype": "xfs", "path": "/srv/erp/", "options": "noatime"}],
    },
    "resources": [{"name": "postgresql", "type": "postgresql", "version": "17", "port": 5432}],
}


def write(directory: Path, node: dict[str, Any], package: dict[str, Any]) -> Path:
    (directory / "packages").mkdir()
    (directory / "node.json").write_text(json.dumps(node))
    (directory / "packages/erp.json").write_text(json.dumps(package))
    return directory


def test_a_node_and_its_package(tmp_path: Path) -> None:
    directory = write(tmp_path, NODE, PACKAGE)
    node, (package,) = load_node(directory), load_packages(directory)
    assert (node.node, node.node_id, [peer.name for peer in node.peers]) == ("node1", 1, ["node2"])
    assert package.addresses == (VirtualAddress("10.20.0.50/24", "client"),)
    assert (package.lock_lun, package.luns) == (LunName("erp-lock", "3600a"), (LunName("erp-data", "3600b"),))
    assert package.file_systems[0].path == "/srv/erp"
    assert package.resources == (Resource("erp", "postgresql", "postgresql", {"version": "17", "port": 5432}),)


@pytest.mark.parametrize("change", [{"schema": 2}, {"nodes": None}, {"storage": {}}, {"resources": [{"name": "x"}]}])
def test_another_shape_is_refused_with_the_path(tmp_path: Path, change: dict[str, Any]) -> None:
    directory = write(tmp_path, NODE | change, PACKAGE | change)
    with pytest.raises(ConfigurationError, match=r"erp\.json"):
        load_packages(directory)


def test_a_missing_or_broken_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"node\.json"):
        load_node(tmp_path)
    (tmp_path / "node.json").write_text("{")
    with pytest.raises(ConfigurationError, match=r"node\.json"):
        load_node(tmp_path)
