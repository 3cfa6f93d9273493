"""Who gets the processors: nodes of a lab go first, and keep to one where their backend wants it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.lab.supervisor import scheduling
from holdfast.lab.supervisor.scheduling import favour, processor_for


@pytest.fixture
def child() -> Iterator[int]:
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    yield pid
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_machines_are_spread_over_the_processors_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {2, 5})
    assert [processor_for(number) for number in range(4)] == [2, 5, 2, 5]


def test_a_bound_process_has_one_processor(child: int) -> None:
    processor = min(os.sched_getaffinity(0))
    favour(child, processor)
    assert os.sched_getaffinity(child) == {processor}


def test_nice_value_and_autogroup_are_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int, int]] = []
    monkeypatch.setattr(os, "setpriority", lambda *words: asked.append(words))
    (tmp_path / "7").mkdir()
    (tmp_path / "7/autogroup").write_text("/autogroup-1 nice 0\n")
    favour(7, proc=tmp_path)
    assert asked == [(os.PRIO_PROCESS, 7, scheduling.PRIORITY)]
    assert (tmp_path / "7/autogroup").read_text() == str(scheduling.PRIORITY)


def test_an_ordinary_user_gets_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", refuse)
    favour(os.getpid())


def test_a_process_outside_of_all_autogroups_gets_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "setpriority", lambda *words: None)
    (tmp_path / "7").mkdir()
    (tmp_path / "7/autogroup").symlink_to("/proc/self/mem")  # a write to its start fails with EIO, also for root
    favour(7, proc=tmp_path)
