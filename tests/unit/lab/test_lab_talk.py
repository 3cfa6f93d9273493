"""How the controller and a lab's supervisor talk: sockets, requests, answers, descriptors, waiting."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.lab import Lab
from holdfast.lab.client import ask, ask_for_descriptor
from holdfast.lab.errors import LabError, UsageError
from holdfast.lab.folder import Folder
from holdfast.lab.sockets import connect, listen
from holdfast.lab.supervisor import control as control_module
from holdfast.lab.supervisor.control import Control
from holdfast.lab.topology import Machine, Topology
from holdfast.lab.wait import WaitTimeout, wait_for


class FakeNode:
    """A node of the supervisor that only remembers."""

    def __init__(self, machine: Machine) -> None:
        self.name, self.state = machine.name, "on"
        self.boot = type("Boot", (), {"machine": machine})
        self.unplugged: set[str] = set()

    def status(self) -> dict[str, Any]:
        return {"state": self.state}

    def power_off(self) -> bool:
        changed, self.state = self.state != "off", "off"
        return changed

    def attach(self, descriptor: int) -> None:
        with socket.socket(fileno=descriptor) as console:
            console.sendall(b"login: " + console.recv(64))


@pytest.fixture
def nodes(topology: Topology) -> dict[str, Any]:
    return {machine.name: FakeNode(machine) for machine in topology.machines}


@pytest.fixture
def control(folder: Folder, topology: Topology, nodes: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Control]:
    monkeypatch.setattr(control_module.network, "set_cable", lambda *words: None)
    server = Control(topology, nodes, folder.control)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield server
    server.ended.set()
    thread.join(2)


def test_sockets_in_a_folder_deeper_than_the_kernel_allows(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-folder-with-a-long-name"] * 8)
    deep.mkdir(parents=True)
    path = deep / "control.sock"
    assert len(str(path)) > 107
    path.write_text("a stale file")
    with listen(path) as server, connect(path, 1) as client:
        server.accept()[0].sendall(b"hello")
        assert client.recv(5) == b"hello"
    assert path.stat().st_mode & 0o777 == 0o600


def test_nobody_listens(tmp_path: Path) -> None:
    listen(tmp_path / "stale.sock").close()
    with pytest.raises(OSError, match="refused"):
        connect(tmp_path / "stale.sock")


@pytest.mark.parametrize("stale", [False, True])
def test_ask_a_lab_that_is_not_up(folder: Folder, stale: bool) -> None:
    if stale:
        listen(folder.control).close()
    with pytest.raises(LabError, match="the lab 'lab' is not up; start it with: holdfast lab up --name lab"):
        ask(folder.control, "status")


def test_status(control: Control, folder: Folder) -> None:
    assert ask(folder.control, "status")["san1"] == {"state": "on"}


@pytest.mark.parametrize(("verb", "words", "message"), [
    ("explode", {}, "unknown verb 'explode'"),
    ("power_off", {"node": "node9"}, "there is no node 'node9' in this lab; it has san1, node1, node2, client1"),
    ("power_off", {}, "there is no node 'None'"),
    ("unplug", {"node": "client1", "network": "storage_a"}, "client1 has no network 'storage_a'; it has mgmt, client"),
])
def test_a_wrong_request_is_a_usage_error_on_the_asking_side(
        control: Control, folder: Folder, verb: str, words: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ask(folder.control, verb, **words)


@pytest.mark.parametrize("line", [b"\n", b"nonsense\n", b"[]\n", b'"x"\n', b'{"verb": ["a"]}\n', b'{"verb": "connect"}\n',
                                  b'{"verb": "connect", "node": "node1"}\n'])
def test_nonsense_gets_an_answer_and_harms_nobody(control: Control, folder: Folder, line: bytes) -> None:
    with connect(folder.control, 2) as client:
        client.sendall(line)
        assert "error" in json.loads(client.makefile("rb").readline())
    assert ask(folder.control, "status")


def test_cables_are_remembered(control: Control, folder: Folder, nodes: dict[str, Any]) -> None:
    request = {"node": "node1", "network": "client"}
    assert [ask(folder.control, verb, **request) for verb in ("unplug", "unplug", "plug", "plug")] == [True, False, True, False]
    ask(folder.control, "unplug", **request)
    assert nodes["node1"].unplugged == {"client"}


def test_a_console_is_a_descriptor(control: Control, folder: Folder) -> None:
    with ask_for_descriptor(folder.control, "console", node="node1") as console:
        console.sendall(b"root")
        assert console.makefile("rb").read() == b"login: root"


def test_no_connection_to_a_node_that_is_off(control: Control, folder: Folder, nodes: dict[str, Any]) -> None:
    nodes["node2"].state = "off"
    with pytest.raises(LabError, match="node2 is off"):
        ask_for_descriptor(folder.control, "connect", node="node2", port=22)
    assert not Lab("lab").node("node2").answers()


def test_shutdown_answers_before_it_ends(control: Control, folder: Folder, nodes: dict[str, Any]) -> None:
    assert ask(folder.control, "shutdown") is True
    assert control.ended.wait(2)
    assert {node.state for node in nodes.values()} == {"off"}


def test_a_lab_that_ends_while_it_is_asked(folder: Folder) -> None:
    with listen(folder.control) as server:
        threading.Thread(target=lambda: server.accept()[0].close(), daemon=True).start()
        with pytest.raises(LabError, match="the lab ended while it was asked"):
            ask(folder.control, "status")


def tries(*answers: Any) -> Callable[[], Any]:
    """A probe that gives these answers in turn, then the last one for ever; exceptions are raised."""
    left = list(answers)

    def probe() -> Any:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return probe


def test_wait_gives_what_the_probe_found() -> None:
    assert wait_for("x", tries(None, LabError("not yet"), 0), timeout_seconds=1, interval_seconds=0.001) == 0


def test_wait_ends_with_what_was_seen_last() -> None:
    with pytest.raises(WaitTimeout, match=r"node1 comes up: not within 0 s \(port 22 is closed\)"):
        wait_for("node1 comes up", tries(LabError("port 22 is closed")), timeout_seconds=0.01, interval_seconds=0.001)
    with pytest.raises(WaitTimeout, match="nothing was seen"):
        wait_for("x", tries(None), timeout_seconds=0)


def test_wait_ends_early_in_a_final_state() -> None:
    started = time.monotonic()
    with pytest.raises(WaitTimeout, match="node1 comes up: it is powered off"):
        wait_for("node1 comes up", tries(None), timeout_seconds=60, stop=lambda: "it is powered off")
    assert time.monotonic() - started < 1


def test_wait_does_not_hide_a_bug() -> None:
    with pytest.raises(ZeroDivisionError):
        wait_for("x", tries(ZeroDivisionError()), timeout_seconds=1)


@pytest.mark.parametrize(("factor", "message"), [("3", "not within 3 s"), ("0.1", "not within 1 s")])
def test_slow_machines_wait_longer_and_never_shorter(factor: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_SLOWNESS", factor)
    clock = iter(range(100))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with pytest.raises(WaitTimeout, match=message):
        wait_for("x", tries(None), timeout_seconds=1)


def test_a_slowness_that_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_SLOWNESS", "very")
    with pytest.raises(UsageError, match="HOLDFAST_SLOWNESS is 'very'; it must be a number"):
        wait_for("x", tries(1), timeout_seconds=1)
