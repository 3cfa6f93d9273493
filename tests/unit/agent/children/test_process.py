"""The agent's place among the node's processes."""

from __future__ import annotations

import os

import pytest
from holdfast_agent.children import process


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """What the kernel was asked for: class or place, and for which process."""
    found: list[tuple[int, ...]] = []
    monkeypatch.setattr(os, "sched_setscheduler", lambda pid, kind, _param: found.append((pid, kind)))
    monkeypatch.setattr(os, "setpriority", lambda which, pid, nice: found.append((which, pid, nice)))
    return found


def test_real_time_is_taken_where_the_kernel_allows_it(asked: list[tuple[int, ...]]) -> None:
    assert process.use_real_time(10, 7) is None
    assert asked == [(7, os.SCHED_RR)]


def test_where_it_is_refused_the_first_ordinary_place_is_taken_and_the_reason_is_told(
    asked: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_words: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    assert process.use_real_time(10, 7) == "Operation not permitted"
    assert asked == [(os.PRIO_PROCESS, 7, -20)]
    monkeypatch.setattr(os, "setpriority", refuse)
    assert process.use_real_time(10) == "Operation not permitted"


def test_other_peoples_programs_get_the_ordinary_place_back(asked: list[tuple[int, ...]]) -> None:
    process.use_ordinary_time()
    assert asked == [(0, os.SCHED_OTHER), (os.PRIO_PROCESS, 0, 0)]
