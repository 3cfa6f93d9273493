"""The inventory plugin: groups and variables out of a lab's own record."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader

from holdfast.lab.backend import Boot
from holdfast.lab.backend.registry import BACKENDS, backend_by_name
from holdfast.lab.folder import Folder
from holdfast.lab.image.store import Image
from holdfast.lab.topology import Topology

ROOT = Path(__file__).parents[3]
SETTING = ROOT / "inventories" / "lab" / "lab.yml"


@pytest.fixture
def plugin() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lab_inventory", ROOT / "plugins" / "inventory" / "lab.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def parsed(plugin: ModuleType, options: dict[str, Any]) -> InventoryData:
    inventory = InventoryData()
    source = plugin.InventoryModule()
    source._read_config_data = lambda path: None
    source.get_option = options.get
    source.parse(inventory, DataLoader(), str(SETTING))
    return inventory


def test_groups_and_variables(plugin: ModuleType, folder: Folder) -> None:
    inventory = parsed(plugin, {"name": "lab", "state": str(folder.path.parents[1])})
    groups = {name: [host.name for host in group.hosts] for name, group in inventory.groups.items() if group.hosts}
    assert groups == {"array": ["san1"], "cluster_nodes": ["node1", "node2"], "clients": ["client1"]}
    variables = inventory.hosts["node1"].vars
    assert variables["holdfast_addresses"] == {
        "mgmt": "10.20.9.11", "client": "10.20.0.11", "storage_a": "10.20.1.11", "storage_b": "10.20.2.11",
        "heartbeat": "10.20.3.11"}
    assert variables["ansible_ssh_common_args"] == f"-F {folder.path / 'ssh_config'}"
    assert variables["lab_name"] == "lab"
    assert inventory.hosts["san1"].vars["lab_disks"] == [{"name": "luns", "device": "/dev/ubdc", "size_gib": 24}]


@pytest.mark.parametrize("backend", sorted(BACKENDS))
def test_disk_names_are_those_of_the_backend(
        plugin: ModuleType, topology: Topology, folder: Folder, image: Image, backend: str) -> None:
    lab = {**json.loads((folder.path / "lab.json").read_text()), "backend": backend}
    told = [disk["device"] for disk in plugin.host_variables(lab, "san1", folder.path)["lab_disks"]]
    machine = topology.machine("san1")
    units = Boot(machine, image, folder.path, (), "tap").seed_unit
    assert told == [backend_by_name(backend).device(unit) for unit in range(units - len(machine.disks), units)]


def test_no_lab_says_how_to_make_one(plugin: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(AnsibleParserError, match="there is no lab 'none'; make it with: holdfast lab up --name none"):
        parsed(plugin, {"name": "none", "state": str(tmp_path)})


def test_a_damaged_record(plugin: ModuleType, folder: Folder) -> None:
    (folder.path / "lab.json").write_text("{")
    with pytest.raises(AnsibleParserError, match=r"lab\.json can't be read"):
        parsed(plugin, {"name": "lab", "state": str(folder.path.parents[1])})


def test_the_folder_is_the_one_of_the_command_line(plugin: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    source = plugin.InventoryModule()
    source.get_option = {"name": "lab", "state": None}.get
    monkeypatch.delenv("HOLDFAST_STATE")
    for setting in ("/some/where", ""):
        monkeypatch.setenv("XDG_STATE_HOME", setting)
        assert source._folder() == Folder.of("lab").path


def test_only_lab_files_are_taken(plugin: ModuleType) -> None:
    source = plugin.InventoryModule()
    assert source.verify_file(str(SETTING))
    assert not source.verify_file(str(ROOT / "ansible.cfg"))
