"""The command line: arguments, messages, exit codes. The lab behind it is only a folder here."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli import main
from holdfast.lab import Lab, LabError, cli
from holdfast.lab.folder import Folder
from holdfast.lab.node import Node
from holdfast.lab.topology import Topology

VERBS = ("up", "down", "status", "ssh", "console", "power", "freeze", "thaw", "cable", "logs", "list")


@pytest.fixture
def running(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """A lab that says it runs; what its nodes are asked is remembered, and answered with True."""
    asked: list[tuple[Any, ...]] = []
    state = {"state": "on", "role": "node", "boots": 1, "uptime_seconds": 4.2, "memory_mib": 80.1, "unplugged": [],
             "last_exit": None, "reason": None}
    states: dict[str, dict[str, Any]] = {name: dict(state) for name in ("san1", "node1", "node2", "client1")}

    def ask(control: Path, verb: str, **words: Any) -> Any:
        if verb == "status":
            return states
        asked.append((verb, *words.values()))
        return True

    monkeypatch.setattr(Folder, "runs", lambda self: True)
    for module in ("lab", "node"):
        monkeypatch.setattr(f"holdfast.lab.{module}.ask", ask)
    monkeypatch.setattr(Node, "answers", lambda self: True)
    return asked


def fails(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    """Exit code and message of a command that must print nothing else."""
    try:
        code = main(["lab", *argv])
    except SystemExit as usage:
        code = int(str(usage.code))
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    return code, err


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["lab", verb, "--help"])
    assert ended.value.code == 0
    assert f"holdfast lab {verb}" in capsys.readouterr().out


@pytest.mark.parametrize("argv", [[], ["fly"], ["power", "node1"], ["power", "up", "node1"], ["cable", "unplug", "node1"],
                                  ["up", "--system", "debian11"], ["up", "--backend", "kvm"], ["up", "--nodes", "two"]])
def test_wrong_arguments_are_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, message = fails(capsys, *argv)
    assert code == 2
    assert "usage: holdfast lab" in message


@pytest.mark.parametrize(("argv", "message"), [
    (["up", "--name", "No"], "'No' can't name a lab: 1 to 15 of a-z, 0-9 and -, the first a letter"),
    (["up", "--topology", "nope"], "topology 'nope': No such file or directory; known by name: default, erp"),
    (["up", "--nodes", "9"], "--nodes 9: a lab has 1 to 8 cluster nodes"),
    (["logs", "node1", "--lines", "0"], "--lines takes a whole number from 1"),
])
def test_wrong_values_are_usage(argv: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert fails(capsys, *argv) == (2, f"holdfast: {message}\n")


@pytest.mark.parametrize("argv", [["status"], ["ssh", "node1"], ["console", "node1"], ["power", "on", "node1"],
                                  ["freeze", "node1"], ["thaw", "node1"], ["cable", "plug", "node1", "client"],
                                  ["logs", "node1"]])
def test_without_a_lab_every_verb_says_how_to_make_one(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert fails(capsys, *argv) == (1, "holdfast: there is no lab 'lab'; make it with: holdfast lab up --name lab\n")


@pytest.mark.parametrize("argv", [["ssh", "node1"], ["console", "node1"], ["power", "on", "node1"], ["freeze", "node1"],
                                  ["cable", "plug", "node1", "client"]])
def test_a_lab_that_is_down_says_how_to_start_it(
        folder: Folder, argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert fails(capsys, *argv) == (1, "holdfast: the lab 'lab' is not up; start it with: holdfast lab up --name lab\n")


@pytest.mark.parametrize("argv", [["ssh", "node9"], ["console", "node9"], ["power", "off", "node9"], ["freeze", "node9"],
                                  ["thaw", "node9"], ["cable", "unplug", "node9", "client"], ["logs", "node9"]])
def test_unknown_node(running: object, argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert fails(capsys, *argv) == (
        2, "holdfast: there is no node 'node9' in this lab; it has san1, node1, node2, client1\n")


def test_the_name_comes_from_the_option_then_the_environment(
        capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_LAB", "mine")
    assert "'mine'" in fails(capsys, "status")[1]
    assert "'other'" in fails(capsys, "status", "--name", "other")[1]


@pytest.mark.parametrize(("argv", "asked", "says"), [
    (["power", "off", "node1"], [("power_off", "node1")], "node1: power off"),
    (["power", "on", "node1", "--wait"], [("power_on", "node1")], "node1: power on"),
    (["power", "cycle", "node1"], [("power_off", "node1"), ("power_on", "node1")], "node1: power cycle"),
    (["freeze", "node2"], [("freeze", "node2")], "node2: frozen"),
    (["thaw", "node2"], [("thaw", "node2")], "node2: thawed"),
    (["cable", "unplug", "node1", "client"], [("unplug", "node1", "client")], "node1: client unplugged"),
    (["cable", "plug", "node1", "client"], [("plug", "node1", "client")], "node1: client plugged"),
])
def test_verbs_ask_the_supervisor(running: list[tuple[Any, ...]], argv: list[str], asked: list[tuple[str, ...]], says: str,
                                  capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", *argv]) == 0
    assert running == asked
    assert capsys.readouterr().out == f"{says}\n"
    assert main(["lab", *argv, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["node"], told["changed"], told["state"]) == (asked[0][1], True, "on")


def test_nothing_changed_is_said(running: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Node, "freeze", lambda self: False)
    assert main(["lab", "freeze", "node1"]) == 0
    assert capsys.readouterr().out == "node1: frozen (it was so already)\n"


def test_status_for_people_and_machines(running: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["NODE", "ROLE", "STATE", "UP", "BOOTS", "MEMORY", "NOTE"]
    assert lines[1].split() == ["san1", "node", "on", "4", "s", "1", "80", "MiB"]
    assert main(["lab", "status", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["up"] is True
    assert told["nodes"]["client1"]["addresses"] == {"mgmt": "10.20.9.101", "client": "10.20.0.101"}


def test_status_of_a_lab_that_is_down_is_exit_code_1(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "status", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["up"] is False
    assert {node["state"] for node in told["nodes"].values()} == {"off"}


def test_notes_of_a_node() -> None:
    state = {"role": "node", "state": "failed", "reason": "ended at once", "unplugged": ["client"], "last_exit": "panic"}
    assert cli._status_line("node1", state).endswith("ended at once; unplugged: client; last: panic")


def test_up_of_a_lab_that_is_up(running: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Node, "power_on", lambda self: False)
    assert main(["lab", "up"]) == 0
    assert capsys.readouterr().out.startswith("The lab 'lab' was up already.\n")


def test_up_hands_its_options_on(folder: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    given: dict[str, Any] = {}

    def up(self: Lab, topology: Topology, **options: Any) -> bool:
        given.update(options, topology=topology)
        raise LabError("stop here")

    monkeypatch.setattr(Lab, "up", up)
    assert fails(capsys, "up", "--nodes", "3", "--system", "debian12", "--backend", "qemu", "--fresh")[0] == 1
    assert (given["backend"], given["fresh"]) == ("qemu", True)
    assert given["topology"].system == "debian12"
    assert [machine.name for machine in given["topology"].machines] == ["san1", "node1", "node2", "node3", "client1"]


def test_down_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "down"]) == 0
    assert capsys.readouterr().out == "There is no lab 'lab' that is up; nothing to do.\n"
    assert main(["lab", "down", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"name": "lab", "changed": False}


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "list"]) == 0
    assert capsys.readouterr().out == "There is no lab. Make one with: holdfast lab up\n"


def test_list_tells_complete_from_damaged_and_unfinished(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (("bad", "{"), ("half", None)):
        other = Folder.of(name)
        other.path.mkdir()
        if text:
            (other.path / "lab.json").write_text(text)
    assert main(["lab", "list", "--json"]) == 0
    out, err = capsys.readouterr()
    assert {entry["name"]: entry["nodes"] for entry in json.loads(out)} == {
        "bad": "damaged", "half": "not finished (an 'up' is under way or was interrupted)",
        "lab": "san1, node1, node2, client1"}
    assert "down --delete --name bad" in err
    assert "half" not in err


@pytest.mark.parametrize(("words", "sent"), [([], []), (["uptime"], ["uptime"]), (["--", "ls", "-l"], ["ls", "-l"])])
def test_ssh_becomes_ssh(running: object, folder: Folder, words: list[str], sent: list[str],
                         monkeypatch: pytest.MonkeyPatch) -> None:
    class Replaced(Exception):
        pass

    def execvp(program: str, argv: list[str]) -> None:
        raise Replaced(argv)

    monkeypatch.setattr(os, "execvp", execvp)
    with pytest.raises(Replaced) as replaced:
        main(["lab", "ssh", "node1", *words])
    assert replaced.value.args[0] == ["ssh", "-F", str(folder.path / "ssh_config"), "node1", *sent]


def test_console_log(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert fails(capsys, "logs", "node1") == (1, "holdfast: node1 has never been started\n")
    directory = folder.node("node1")
    directory.mkdir(parents=True)
    (directory / "console.log").write_bytes(b"one\r\ntwo\xff\r\nthree\r\n")
    assert main(["lab", "logs", "node1", "--lines", "2"]) == 0
    assert capsys.readouterr().out == "two\N{REPLACEMENT CHARACTER}\nthree\n"


def test_interrupted_is_130(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> list[Lab]:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "labs", interrupt)
    assert main(["lab", "list"]) == 130
    assert capsys.readouterr().err == "holdfast: interrupted\n"


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "labs", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["lab", "list"])
