"""A machine's power switch in the supervisor: it comes back by itself, or stays off, as a physical machine would.

The machine is a shell script here; the real ones are in tests/integration/lab.
"""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from holdfast.lab.backend import Boot
from holdfast.lab.errors import UsageError
from holdfast.lab.image.store import Image
from holdfast.lab.supervisor import node as node_module
from holdfast.lab.supervisor.node import Node
from holdfast.lab.topology import Topology
from holdfast.lab.wait import wait_for
from tests.closed_environment import Tools

RUNS = "echo boot; while read line; do echo got $line; done; sleep 60"


class Script:
    """A backend whose machines are a shell script."""

    name = "script"
    one_processor = False

    def __init__(self, text: str) -> None:
        self.text = text

    def device(self, unit: int) -> str:
        return f"disk{unit}"

    def interface(self, index: int) -> str:
        return f"if{index}"

    def prepare(self, boot: Boot) -> None:
        return

    def command(self, boot: Boot) -> list[str]:
        return ["sh", "-c", self.text]


@pytest.fixture
def machine(topology: Topology, image: Image, tmp_path: Path, tools: Tools) -> Iterator[Callable[[str], Node]]:
    tools.let_run("sh")
    made: list[Node] = []

    def make(text: str) -> Node:
        directory = tmp_path / "node1"
        directory.mkdir()
        made.append(Node(Boot(topology.machine("node1"), image, directory, (), "tap"), Script(text)))
        return made[-1]

    yield make
    for node in made:
        node.power_off()


def see(node: Node, pattern: str) -> str:
    """Wait until the console log has `pattern`, and return its last group."""
    def probe() -> str | None:
        found = re.search(pattern, node.console_log.read_text()) if node.console_log.exists() else None
        return found[found.lastindex or 0] if found else None

    return wait_for(f"'{pattern}' on the console", probe, timeout_seconds=5, interval_seconds=0.01)


def settle(node: Node, **wanted: object) -> dict[str, object]:
    """Wait until the status has these values."""
    def seen() -> dict[str, object] | None:
        status = node.status()
        return status if all(status[key] == value for key, value in wanted.items()) else None

    return wait_for(f"status {wanted}", seen, timeout_seconds=5, interval_seconds=0.01)


def test_switches_are_idempotent(machine: Callable[[str], Node]) -> None:
    node = machine(RUNS)
    assert node.state == "off"
    assert [node.power_on(), node.power_on()] == [True, False]
    assert [node.freeze(), node.freeze()] == [True, False]
    assert node.state == "frozen"
    assert [node.thaw(), node.thaw()] == [True, False]
    assert [node.power_off(), node.power_off()] == [True, False]
    assert node.status()["last_exit"] == "power cut"
    assert node.status()["boots"] == 1


@pytest.mark.parametrize("verb", ["freeze", "thaw"])
def test_a_machine_that_is_off_can_not_be_frozen(machine: Callable[[str], Node], verb: str) -> None:
    with pytest.raises(UsageError, match="node1 is off"):
        getattr(machine(RUNS), verb)()


def test_a_frozen_machine_can_lose_its_power(machine: Callable[[str], Node]) -> None:
    node = machine(RUNS)
    node.power_on()
    node.freeze()
    assert node.power_off()
    assert node.state == "off"


def test_a_power_cut_takes_all_its_processes(machine: Callable[[str], Node]) -> None:
    node = machine("sleep 60 & echo child $!; wait")
    node.power_on()
    child = int(see(node, r"child (\d+)\n"))
    node.power_off()
    wait_for("the child is gone", lambda: not alive(child) or None, timeout_seconds=2, interval_seconds=0.01)


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize(("last_words", "reason"), [
    ("Kernel panic - not syncing: sysrq", "panic"), ("reboot: Restarting system", "reset"), ("", "reset")])
def test_it_comes_back_by_itself(machine: Callable[[str], Node], last_words: str, reason: str) -> None:
    node = machine(f"if test -e flag; then {RUNS}; else touch flag; echo '{last_words}'; fi".replace("flag", "$0.flag"))
    node.backend.text = node.backend.text.replace("$0", str(node.boot.directory))  # type: ignore[attr-defined]
    node.power_on()
    assert settle(node, boots=2)["last_exit"] == reason
    assert node.state == "on"
    see(node, f"--- {reason} ---")


@pytest.mark.parametrize("last_words", ["reboot: Power down", "reboot: System halted"])
def test_a_power_off_from_inside_stays_off(machine: Callable[[str], Node], last_words: str) -> None:
    node = machine(f"echo '{last_words}'")
    node.power_on()
    assert settle(node, state="off", last_exit="powered off by itself")["boots"] == 1


def test_a_machine_that_never_starts_is_given_up_with_its_last_words(machine: Callable[[str], Node]) -> None:
    node = machine("echo cannot open root device; exit 1")
    node.power_on()
    status = settle(node, state="failed")
    assert status["boots"] == 3
    assert "ended 3 times at once" in str(status["reason"])
    assert "cannot open root device" in str(status["reason"])
    assert node.power_off() is False
    assert node.state == "off"


def test_console_goes_both_ways_and_survives_a_reader_that_left(machine: Callable[[str], Node]) -> None:
    node = machine(RUNS)
    node.power_on()
    see(node, "boot")
    for word in ("first", "second"):
        ours, theirs = socket.socketpair()
        threading.Thread(target=node.attach, args=(ours.detach(),), daemon=True).start()
        with theirs:
            theirs.settimeout(5)
            theirs.sendall(f"{word}\n".encode())
            heard = b""
            while f"got {word}".encode() not in heard:
                heard += theirs.recv(4096)
    see(node, "got second")


def test_console_log_is_bounded(machine: Callable[[str], Node], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_module, "CONSOLE_LOG_LIMIT", 10)
    node = machine(RUNS)
    node.console_log.write_text("older than this boot")
    node.power_on()
    see(node, "boot")
    assert node.console_log.with_suffix(".log.1").read_text() == "older than this boot"


def test_memory_is_that_of_the_whole_group(machine: Callable[[str], Node]) -> None:
    node = machine("sleep 60 & echo boot; sleep 60")
    assert node.memory_mib() is None
    node.power_on()
    see(node, "boot")
    memory = node.memory_mib()
    assert memory is not None
    assert 0 < memory < 50
    assert os.getpgrp() != node.status()["pid"]


def test_memory_is_told_while_other_processes_end(machine: Callable[[str], Node], monkeypatch: pytest.MonkeyPatch) -> None:
    node = machine("sleep 60 & echo boot; sleep 60")
    node.power_on()
    see(node, "boot")

    def ends_now(path: Path) -> bool:
        raise ProcessLookupError(3, "No such process", str(path))

    monkeypatch.setattr(Path, "exists", ends_now)
    assert node.memory_mib()
