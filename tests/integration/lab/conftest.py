"""One lab of real nodes for all tests here, named "itest"; it is deleted at the end, however the tests went."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from holdfast.lab import Lab
from holdfast.lab.command import environment
from holdfast.lab.topology import load_topology
from holdfast.lab.wait import slowness

ROOT = Path(__file__).parents[3]
BOOTED_SECONDS = 40           # a node that runs for longer has long answered, also on a busy machine
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def holdfast() -> Command:
    """Call the command line and compare its exit code; what it printed comes back."""
    def call(*words: str, expected: int = 0, stdin: str | None = None, **extra: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([sys.executable, "-m", "holdfast", *words], input=stdin or "", capture_output=True, text=True,
                              timeout=600, env=environment(**extra), check=False)
        assert done.returncode == expected, f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    return call


@pytest.fixture(scope="session")
def itest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The lab; `listening_before` is what listened on the host before it was there."""
    lab = Lab("itest")
    lab.down(delete=True)
    (tmp_path_factory.getbasetemp() / "listening_before").write_text(listening_on_the_host())
    try:
        lab.up(load_topology("default"))
        yield lab
    finally:
        lab.down(delete=True)


@pytest.fixture
def lab(itest: Lab) -> Iterator[Lab]:
    """The lab with all nodes up and all cables plugged, also again after the test."""
    yield itest
    waiting = []
    for name, state in itest.status().items():
        node = itest.node(name)
        if state["state"] == "frozen":
            node.thaw()
        for network in state["unplugged"]:
            node.plug(network)
        if node.power_on() or (state["uptime_seconds"] or 0) < BOOTED_SECONDS:
            waiting.append(node)
    for node in waiting:
        node.wait_until_up()


@pytest.fixture(scope="session")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest topology: one node, with the same addresses as node1 of the default one."""
    path = tmp_path_factory.mktemp("topology") / "single.yml"
    path.write_text("networks:\n  mgmt: {subnet: 10.20.9.0/24}\n  client: {subnet: 10.20.0.0/24, gateway: 1}\n"
                    "nodes:\n  node1: {role: node, host: 11, memory_mib: 256}\n")
    return path


@pytest.fixture
def second(holdfast: Command) -> Iterator[Lab]:
    """The name of another lab, for tests that make and break one."""
    holdfast("lab", "down", "--delete", "--name", "itest2")
    yield Lab("itest2")
    holdfast("lab", "down", "--delete", "--name", "itest2")


def listening_on_the_host() -> str:
    """Every TCP and UDP socket that listens on the host, sorted."""
    return "\n".join(sorted(subprocess.run(["ss", "-lntuH"], capture_output=True, text=True, check=True).stdout.splitlines()))


def processes(lab: Lab) -> dict[int, str]:
    """Every process of this host that belongs to the lab: its supervisor, and all in the supervisor's PID namespaces."""
    supervisors = [pid for pid, words in command_lines() if "holdfast.lab.supervisor" in words and str(lab.folder.path) in words]
    spaces = {space(pid) for pid in supervisors} - {space(os.getpid()), None}
    return {pid: " ".join(words)[:120] for pid, words in command_lines() if pid in supervisors or space(pid) in spaces}


def command_lines() -> Iterator[tuple[int, list[str]]]:
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            yield int(entry.name), (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:           # it ended while it was read
            continue


def space(pid: int) -> str | None:
    """The PID namespace of a process; None when it is gone."""
    try:
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        return None


def alive(pid: int) -> bool:
    """Whether a process runs: a zombie only waits for the host's first process to notice (proc_pid_stat(5), field 3)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def all_gone(pids: dict[int, str], seconds: float = 5) -> bool:
    """Whether all these processes end within this time."""
    deadline = time.monotonic() + seconds * slowness()
    while any(alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
