"""Bad weather: killed commands, a killed supervisor, an interrupted build, two labs side by side. Nothing is left over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from holdfast.lab import Lab
from holdfast.lab.command import environment
from holdfast.lab.wait import wait_for
from tests.integration.lab.conftest import Command, all_gone, command_lines, processes

pytestmark = pytest.mark.lab


@contextmanager
def started(*words: str, **extra: str) -> Iterator[subprocess.Popen[str]]:
    """A command that is killed with SIGKILL at the end of the block, if it still runs."""
    with subprocess.Popen([sys.executable, "-m", "holdfast", "lab", *words], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, env=environment(**extra)) as child:
        yield child
        child.kill()


def mounts() -> set[str]:
    return set(Path("/proc/self/mountinfo").read_text().splitlines())


def test_a_killed_up_and_a_killed_supervisor_leave_nothing_and_up_works_again(
        second: Lab, single: Path, holdfast: Command) -> None:
    up = ("up", "--name", "itest2", "--topology", str(single))
    before = mounts()

    with started(*up) as command:
        wait_for("the nodes are started", lambda: second.runs or None, timeout_seconds=60, stop=lambda: failure(command))
    holdfast("lab", *up)
    boots = second.status()["node1"]["boots"]
    assert boots == 1, "the second up took over what the killed one had started"
    assert second.node("node1").succeed(["hostname"]) == "node1\n"

    left = processes(second)
    assert len(left) >= 4, "unshare, the supervisor's two processes, and the node's"
    os.kill(supervisors(second)[-1], signal.SIGKILL)
    assert all_gone(left), left
    assert mounts() == before
    down = holdfast("lab", "status", "--name", "itest2", expected=1)
    assert down.stdout.splitlines()[1].split()[:3] == ["node1", "node", "off"]
    assert "not up; start it with: holdfast lab up --name itest2" in holdfast(
        "lab", "ssh", "--name", "itest2", "node1", "true", expected=1).stderr

    holdfast("lab", *up)
    left = processes(second)
    os.kill(supervisors(second)[0], signal.SIGKILL)
    assert all_gone(left), left
    assert holdfast("lab", "down", "--name", "itest2").stdout == "There is no lab 'itest2' that is up; nothing to do.\n"
    holdfast("lab", "down", "--delete", "--name", "itest2")
    assert not second.folder.path.exists()


def failure(command: subprocess.Popen[str]) -> str | None:
    if command.poll() is None:
        return None
    assert command.stderr is not None
    return command.stderr.read()


def supervisors(lab: Lab) -> list[int]:
    """unshare, the first process of the PID namespace, the supervisor: in this order."""
    return sorted(pid for pid, words in command_lines() if "holdfast.lab.supervisor" in words and str(lab.folder.path) in words)


def test_two_labs_with_the_same_addresses_do_not_see_each_other(
        lab: Lab, second: Lab, single: Path, holdfast: Command) -> None:
    holdfast("lab", "up", "--name", "itest2", "--topology", str(single))
    mine, theirs = lab.node("node1"), second.node("node1")
    assert mine.addresses["client"] == theirs.addresses["client"] == "10.20.0.11"
    mine.succeed("echo itest >/run/whose")
    theirs.succeed("echo itest2 >/run/whose")
    assert [node.succeed(["cat", "/run/whose"]) for node in (mine, theirs)] == ["itest\n", "itest2\n"]
    assert mine.succeed(["ping", "-c", "1", "-W", "2", "10.20.0.101"]), "client1 of this lab"
    assert theirs.execute(["ping", "-c", "1", "-W", "1", "10.20.0.101"]).code == 1, "the other lab has no client1"
    assert theirs.succeed(["ping", "-c", "1", "-W", "2", "10.20.0.1"]), "its own witness answers"
    theirs.power_off()
    assert mine.succeed(["cat", "/run/whose"]) == "itest\n"
    gone = processes(second)
    down = time.monotonic()
    holdfast("lab", "down", "--name", "itest2", "--delete")
    assert all_gone(gone, 1), "down returns when all is gone"
    assert time.monotonic() - down < 30
    assert mine.answers()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_build_leaves_nothing_half_built(how: signal.Signals, tmp_path: Path, single: Path) -> None:
    places = {"HOLDFAST_CACHE": str(tmp_path / "cache"), "HOLDFAST_STATE": str(tmp_path / "state")}
    images = tmp_path / "cache" / "images"
    before = mounts()
    with started("up", "--name", "itest3", "--topology", str(single), **places) as command:
        wait_for("the build is under way", lambda: list(images.glob("*.building/runtime")) or None, timeout_seconds=60,
                 stop=lambda: failure(command))
        build = {pid: " ".join(words) for pid, words in command_lines()
                 if "holdfast.lab.image.build" in words and str(tmp_path) in " ".join(words)}
        assert build
        time.sleep(1)
        command.send_signal(how)
        command.wait(30)
    assert all_gone(build), build
    wait_for("the half-built image is removed", lambda: not list(images.glob("*.building")) or None, timeout_seconds=10)
    assert not [path for path in images.iterdir() if path.is_dir()]
    assert mounts() == before


def test_nothing_is_known_about_a_lab_that_was_never_made(holdfast: Command, tmp_path: Path) -> None:
    place = {"HOLDFAST_STATE": str(tmp_path / "state")}
    assert holdfast("lab", "down", "--name", "ghost", **place).stdout == (
        "There is no lab 'ghost' that is up; nothing to do.\n")
    assert holdfast("lab", "status", "--name", "ghost", expected=1, **place).stderr == (
        "holdfast: there is no lab 'ghost'; make it with: holdfast lab up --name ghost\n")
    assert not (tmp_path / "state").exists()
