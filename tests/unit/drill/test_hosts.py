"""Ansible's modules from a drill: an interrupt ends what runs on the hosts first, and then the drill."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.drill.hosts import AnsibleModules
from holdfast.endings import endings_as_interrupts

PROJECT = Path(__file__).parents[3]
LIMIT_SECONDS = 60.0


@pytest.fixture
def modules(tmp_path: Path) -> AnsibleModules:
    (tmp_path / "hosts.yml").write_text("all: {hosts: {here: {ansible_connection: local}}}\n")
    (tmp_path / "runs").mkdir()
    return AnsibleModules(PROJECT, tmp_path / "hosts.yml", tmp_path / "runs")


def send_once_it_exists(mark: Path, number: int) -> None:
    """To this process, as soon as the module's work has begun."""
    end = time.monotonic() + LIMIT_SECONDS
    while not mark.exists() and time.monotonic() < end:
        time.sleep(0.05)
    os.kill(os.getpid(), number)


def ansible_runs(modules: AnsibleModules) -> Iterator[str]:
    """Processes of Ansible that work for these modules."""
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = command.read_text().split("\0")
            if str(modules.inventory) in words:
                yield " ".join(words)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_module_and_then_the_drill(modules: AnsibleModules, tmp_path: Path, number: int) -> None:
    mark = tmp_path / "begun"
    sender = threading.Thread(target=send_once_it_exists, args=(mark, number))
    with endings_as_interrupts():
        handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
        sender.start()
        with pytest.raises(KeyboardInterrupt):
            modules.run(["here"], "ansible.builtin.shell", {"cmd": f"touch {mark}; sleep {LIMIT_SECONDS}"})
        assert handlers == [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    sender.join()
    assert mark.exists()
    assert not list(ansible_runs(modules))


def test_an_interrupt_between_two_modules_is_heard(modules: AnsibleModules) -> None:
    assert modules.run(["here"], "ansible.builtin.stat", {"path": "/"})["here"]["stat"]["exists"]
    with endings_as_interrupts(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
