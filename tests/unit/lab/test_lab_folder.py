"""A lab's folder: its record, its "running" lock, its keys, and where it lies."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from holdfast.lab import Lab, UsageError, labs
from holdfast.lab.errors import LabError
from holdfast.lab.folder import Folder
from holdfast.lab.keys import make_keys, write_ssh_config
from holdfast.lab.paths import cache_directory, labs_directory
from holdfast.lab.topology import Topology
from tests.closed_environment import Tools


def change(folder: Folder, **changes: Any) -> None:
    path = folder.path / "lab.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_what_was_written_is_read(folder: Folder, topology: Topology) -> None:
    record = folder.read()
    assert (record.name, record.backend, record.topology) == ("lab", "uml", topology)
    assert not list(folder.path.glob("*.new"))


def test_no_lab() -> None:
    with pytest.raises(LabError, match="there is no lab 'none'; make it with: holdfast lab up --name none"):
        Folder.of("none").read()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", '"x"', '{"schema": 1}', '{"topology": {}, "schema": 1}',
                                  '{"schema": 1, "name": "lab", "backend": "uml", "image": null, "topology": null}', "\x00"])
def test_a_damaged_record_says_how_to_get_rid_of_it(folder: Folder, text: str) -> None:
    (folder.path / "lab.json").write_text(text)
    with pytest.raises(LabError, match=r"lab\.json can't be read .*remove the lab with: holdfast lab down --delete --name lab"):
        folder.read()


def test_a_record_that_is_no_text(folder: Folder) -> None:
    (folder.path / "lab.json").write_bytes(b"\xff\xfe")
    with pytest.raises(LabError, match="can't be read"):
        folder.read()


def test_a_record_of_another_version(folder: Folder) -> None:
    change(folder, schema=2)
    with pytest.raises(LabError, match="schema 2"):
        folder.read()


def test_a_record_with_another_backend(folder: Folder) -> None:
    change(folder, backend="vmware")
    with pytest.raises(LabError, match="vmware"):
        folder.read()


def test_the_lock_and_not_a_file_says_that_a_lab_runs(folder: Folder) -> None:
    assert not folder.runs()
    lock = folder.claim()
    assert folder.runs()
    os.close(lock)
    assert (folder.path / "running.lock").exists()
    assert not folder.runs(), "a stale lock file means nothing"


def test_a_lab_runs_once(folder: Folder) -> None:
    lock = folder.claim()
    with pytest.raises(LabError, match="the lab 'lab' runs already"):
        folder.claim()
    os.close(lock)


@pytest.mark.parametrize("name", ["", "Lab", "a/b", "..", "-x", "a" * 16, "lab\n", "1st"])
def test_names_that_no_lab_can_have(name: str) -> None:
    with pytest.raises(UsageError, match="can't name a lab"):
        Lab(name)


def test_a_lab_that_is_down_has_all_nodes_off(folder: Folder) -> None:
    assert {state["state"] for state in Lab("lab").status().values()} == {"off"}
    with pytest.raises(LabError, match="not up; start it with: holdfast lab up --name lab"):
        Lab.open("lab")


def test_down_of_nothing_makes_nothing() -> None:
    assert Lab("none").down() is False
    assert Lab("none").down(delete=True) is False
    assert not labs_directory().exists()


def test_delete_takes_a_damaged_lab_away(folder: Folder) -> None:
    (folder.path / "lab.json").write_text("{")
    assert Lab("lab").down(delete=True) is True
    assert not folder.path.exists()
    assert labs() == []


def test_labs_by_name(folder: Folder) -> None:
    (labs_directory() / "another").mkdir()
    (labs_directory() / "No Lab").mkdir()
    assert [lab.name for lab in labs()] == ["another", "lab"]


def test_up_with_another_topology_wants_fresh(folder: Folder, topology: Topology) -> None:
    with pytest.raises(UsageError, match="another topology or backend; start it anew with --fresh"):
        Lab("lab").up(topology.with_cluster_nodes(3))
    with pytest.raises(UsageError, match="--fresh"):
        Lab("lab").up(topology, backend="qemu")


def test_folders_follow_settings_then_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_CACHE", "/one")
    monkeypatch.setenv("XDG_CACHE_HOME", "/two")
    assert cache_directory() == Path("/one")
    monkeypatch.setenv("HOLDFAST_CACHE", "")
    assert cache_directory() == Path("/two/holdfast")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/anna")
    assert cache_directory() == Path("/home/anna/.cache/holdfast")


def test_keys_are_made_once(folder: Folder, topology: Topology, tools: Tools) -> None:
    for _ in range(1 + len(topology.machines)):
        tools.expect("ssh-keygen", "-q", "-t", "ed25519")
    make_keys(folder.keys, topology)
    assert folder.keys.stat().st_mode & 0o777 == 0o700
    for name in ("id", *(f"{machine.name}_host" for machine in topology.machines)):
        (folder.keys / name).touch()
    make_keys(folder.keys, topology)


def test_ssh_config_checks_host_keys(folder: Folder, topology: Topology) -> None:
    folder.keys.mkdir()
    for machine in topology.machines:
        (folder.keys / f"{machine.name}_host.pub").write_text(f"ssh-ed25519 KEY-{machine.name} comment\n")
    write_ssh_config(folder.path, topology)
    config = (folder.path / "ssh_config").read_text()
    assert "StrictHostKeyChecking yes" in config
    assert "GlobalKnownHostsFile /dev/null" in config
    assert (folder.path / "known_hosts").read_text().splitlines()[1] == "node1 ssh-ed25519 KEY-node1"


def test_a_second_up_or_down_waits_for_the_first(folder: Folder) -> None:
    """The second one says so, and finds a folder again where the first one was a `down --delete`."""
    order: list[str] = []
    told = threading.Event()

    def tell(words: str) -> None:
        order.append(words)
        told.set()

    def second() -> None:
        with Lab("lab")._exclusive(tell):
            order.append(f"second, folder {folder.path.is_dir()}")

    with Lab("lab")._exclusive(order.append):
        other = threading.Thread(target=second)
        other.start()
        assert told.wait(10)
        order.append("first")
        shutil.rmtree(folder.path)
    other.join(10)
    assert order == ["another command changes this lab; waiting for it", "first", "second, folder True"]
    assert not folder.path.exists(), "a lab that was never made leaves no folder"
