"""Every verb of `holdfast lab` on real nodes, as a person types it."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from holdfast.lab import Lab, RemoteError
from tests.integration.lab.conftest import Command, listening_on_the_host

pytestmark = pytest.mark.lab
NAME = ("--name", "itest")


def test_nothing_listens_on_the_host(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> None:
    before = (tmp_path_factory.getbasetemp() / "listening_before").read_text().splitlines()
    assert set(listening_on_the_host().splitlines()) - set(before) == set()


def test_a_second_up_finds_it_up(lab: Lab, holdfast: Command) -> None:
    boots = {name: state["boots"] for name, state in lab.status().items()}
    assert holdfast("lab", "up", *NAME).stdout.startswith("The lab 'itest' was up already.\n")
    assert {name: state["boots"] for name, state in lab.status().items()} == boots


def test_up_with_another_topology_is_refused(lab: Lab, holdfast: Command, single: Path) -> None:
    refused = holdfast("lab", "up", *NAME, "--topology", str(single), expected=2)
    assert "runs with another topology" in refused.stderr


def test_status_and_list(lab: Lab, holdfast: Command) -> None:
    told = json.loads(holdfast("lab", "status", *NAME, "--json").stdout)
    assert told["up"] is True
    assert {name: (node["state"], node["role"]) for name, node in told["nodes"].items()} == {
        "san1": ("on", "array"), "node1": ("on", "node"), "node2": ("on", "node"), "client1": ("on", "client")}
    assert all(20 < node["memory_mib"] < 700 for node in told["nodes"].values())
    assert {"name": "itest", "up": True, "nodes": "san1, node1, node2, client1"} in json.loads(
        holdfast("lab", "list", "--json").stdout)


@pytest.mark.parametrize(("words", "code", "output"), [
    (["hostname; id -un; exit 7"], 7, "node1\nroot\n"), (["--", "cat", "-"], 0, "from outside")])
def test_ssh_passes_output_and_exit_code_through(
        lab: Lab, holdfast: Command, words: list[str], code: int, output: str) -> None:
    done = holdfast("lab", "ssh", *NAME, "node1", *words, expected=code, stdin="from outside")
    assert done.stdout == output


def test_a_list_of_words_arrives_word_by_word(lab: Lab) -> None:
    node = lab.node("client1")
    assert node.succeed(["printf", "%s|", "it's", "a  b", "$HOME", "*"]) == "it's|a  b|$HOME|*|"
    assert node.execute("exit 9").code == 9
    with pytest.raises(RemoteError, match=r"client1: .* ended with 3: no"):
        node.succeed("echo no >&2; exit 3")


def test_nodes_have_the_names_and_addresses_of_the_topology(lab: Lab) -> None:
    told = json.loads(lab.node("node2").succeed(["ip", "-json", "-4", "address"]))
    assert {link["ifname"]: link["addr_info"][0]["local"] for link in told if link["ifname"] != "lo"} == {
        "mgmt": "10.20.9.12", "client": "10.20.0.12", "storage_a": "10.20.1.12", "storage_b": "10.20.2.12",
        "heartbeat": "10.20.3.12"}
    assert lab.node("node2").addresses["heartbeat"] == "10.20.3.12"
    assert lab.node("node1").succeed(["ping", "-c", "1", "-W", "2", "san1-storage-b"])
    assert lab.node("client1").succeed(["ping", "-c", "1", "-W", "2", "10.20.0.1"]), "the witness answers"
    assert lab.node("client1").execute(["ping", "-c", "1", "-W", "1", "10.20.3.12"]).code != 0, "no way between networks"


def test_a_service_with_a_processor_share_gets_real_time_priority(lab: Lab) -> None:
    """As under Debian's own kernels; the agent's unit is such a service."""
    run = "systemd-run --quiet --wait --pipe --property=CPUWeight=100 chrt --rr 10 chrt --pid 0"
    assert "SCHED_RR" in lab.node("node1").succeed(run)


def test_console_in_a_terminal(lab: Lab) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-m", "holdfast", "lab", "console", *NAME, "client1"])
    assert read_until(terminal, b"Console of client1. Leave with Ctrl-].")
    os.write(terminal, b"\recho $((6*7))-$(hostname)\r")
    assert read_until(terminal, b"42-client1")
    os.write(terminal, b"\x1d")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0


def read_until(terminal: int, text: bytes, seconds: float = 30) -> bool:
    seen, deadline = b"", time.monotonic() + seconds
    while text not in seen and time.monotonic() < deadline:
        if select.select([terminal], [], [], 1)[0]:
            seen += os.read(terminal, 4096)
    return text in seen


def test_console_in_a_pipe(lab: Lab) -> None:
    with subprocess.Popen([sys.executable, "-m", "holdfast", "lab", "console", *NAME, "client1"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as console:
        assert console.stdin is not None
        assert console.stdout is not None
        console.stdin.write("\necho $((6*8))-$(hostname)\n")
        console.stdin.flush()
        assert any("48-client1" in line for line in iter(console.stdout.readline, ""))
        console.stdin.close()
        assert console.wait(10) == 0


def test_logs(lab: Lab, holdfast: Command) -> None:
    assert "Debian GNU/Linux" in holdfast("lab", "logs", *NAME, "node1").stdout
    assert len(holdfast("lab", "logs", *NAME, "node1", "--lines", "3").stdout.splitlines()) == 3
    lab.node("node1").succeed(["logger", "-t", "itest", "a line of mine"])
    assert "a line of mine" in holdfast("lab", "logs", *NAME, "node1", "--journal", "--lines", "20").stdout


def test_power_cycle_waits_when_asked(lab: Lab, holdfast: Command) -> None:
    before = lab.node("client1").succeed(["cat", "/proc/sys/kernel/random/boot_id"])
    told = json.loads(holdfast("lab", "power", "cycle", *NAME, "client1", "--wait", "--json").stdout)
    assert (told["changed"], told["state"], told["last_exit"]) == (True, "on", "power cut")
    assert lab.node("client1").succeed(["cat", "/proc/sys/kernel/random/boot_id"]) != before


def test_power_freeze_and_cable_are_idempotent(lab: Lab, holdfast: Command) -> None:
    for words, state in ((("freeze", "client1"), "frozen"), (("thaw", "client1"), "on"),
                         (("cable", "unplug", "client1", "client"), "on"), (("cable", "plug", "client1", "client"), "on"),
                         (("power", "off", "client1"), "off"), (("power", "on", "client1"), "on")):
        told = json.loads(holdfast("lab", *words, *NAME, "--json").stdout)
        assert (told["changed"], told["state"]) == (True, state), words
        verb, *network = words[1:] if words[0] in ("power", "cable") else words
        again = getattr(lab.node("client1"), {"on": "power_on", "off": "power_off"}.get(verb, verb))
        assert again(*network[1:]) is False, "the second time changes nothing"
        if state == "off":
            says_that_it_is_off(holdfast)


def says_that_it_is_off(holdfast: Command) -> None:
    assert "client1 is off" in holdfast("lab", "ssh", *NAME, "client1", "true", expected=255).stderr
    assert holdfast("lab", "freeze", *NAME, "client1", expected=2).stderr == "holdfast: client1 is off\n"
    table = holdfast("lab", "status", *NAME, expected=1).stdout
    assert any(line.split()[:3] == ["client1", "client", "off"] for line in table.splitlines())


def test_unknown_names_are_usage_errors(lab: Lab, holdfast: Command) -> None:
    known = "holdfast: there is no node 'node9' in this lab; it has san1, node1, node2, client1\n"
    assert holdfast("lab", "ssh", *NAME, "node9", expected=2).stderr == known
    assert holdfast("lab", "cable", "unplug", *NAME, "client1", "storage_a", expected=2).stderr == (
        "holdfast: client1 has no network 'storage_a'; it has mgmt, client\n")
