"""Health watches: what is reported, and what is waited out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from holdfast_agent.children.messages import JobEnd
from holdfast_agent.config import Resource
from holdfast_agent.core.events import Event, ResourceHealth
from holdfast_agent.daemon import health
from holdfast_agent.daemon.health import HealthWatch
from holdfast_agent.daemon.loop import Loop
from holdfast_agent.daemon.ports import Ports

RESOURCE = Resource("erp", "postgresql", "postgresql", {})
REFUSED = JobEnd(1, None, "ResourceError", "the database system is in recovery mode")


class Checks:
    """Stands in for the pool: answers checks from a list, the last answer stays."""

    def __init__(self, loop: Loop, answers: list[JobEnd]) -> None:
        self.loop, self.answers, self.asked = loop, answers, 0
        self.allowed_seconds: list[float] = []

    def submit(self, function: object, arguments: tuple[Any, float], deadline: float, done: Callable[[JobEnd], None]) -> None:
        self.asked += 1
        self.allowed_seconds.append(arguments[1] - self.loop.now)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.loop.call_soon(lambda: done(answer))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "INTERVAL_SECONDS", 0.02)
    monkeypatch.setattr(health, "_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(health, "TOLERANCE_SECONDS", 0.1)


def watch(answers: list[JobEnd], pid: int | None = None, seconds: float = 10.0, reports: int = 1) -> list[Event]:
    """What is reported, until there are so many reports or the time is over."""
    loop, seen = Loop(), list[Event]()

    def send(event: Event) -> None:
        seen.append(event)
        if len(seen) == reports:
            loop.stop()

    ports: Any = Ports(loop, None, None)  # type: ignore[arg-type]
    pool: Any = Checks(loop, answers)
    made = HealthWatch(ports, pool, RESOURCE, pid, 1.0, send)
    loop.call_at(loop.now + seconds, loop.stop)
    loop.run()
    made.close()
    return seen


def test_a_healthy_resource_is_no_news() -> None:
    assert watch([JobEnd(1)], seconds=0.3) == []


def test_a_short_refusal_is_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "TOLERANCE_SECONDS", 60)
    assert watch([JobEnd(1), REFUSED, REFUSED, JobEnd(1)]) == [ResourceHealth("postgresql", True, "answers again")]


def test_a_lasting_refusal_is_reported() -> None:
    first = watch([REFUSED])[0]
    assert first == ResourceHealth("postgresql", False, f"ResourceError: {REFUSED.error_text}")


def test_a_deadline_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "TOLERANCE_SECONDS", 60)
    assert watch([JobEnd(1, None, "DeadlineError", "late")])[0] == ResourceHealth("postgresql", False, "DeadlineError: late")


@pytest.mark.parametrize(("kind", "seconds"), [("postgresql", 1.0), ("mariadb", 1.0), ("systemd", 1.0), ("ocf", 60.0)])
def test_a_monitor_of_scripts_has_its_own_time(kind: str, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The storage's slow limit (5 s in profile fast) is no time for an agent that logs in to Oracle."""
    monkeypatch.setattr(health, "OCF_INTERVAL_SECONDS", 0.02)
    loop = Loop()
    ports: Any = Ports(loop, None, None)  # type: ignore[arg-type]
    pool: Any = Checks(loop, [JobEnd(1)])
    made = HealthWatch(ports, pool, Resource("erp", "x", kind, {}), None, 1.0, lambda event: None)
    loop.call_at(loop.now + 0.1, loop.stop)
    loop.run()
    made.close()
    assert pool.allowed_seconds[0] == pytest.approx(seconds, abs=0.5)


def test_the_end_of_the_main_process_is_seen_without_a_check() -> None:
    pid = os.fork()
    if pid == 0:
        time.sleep(0.05)
        os._exit(0)
    assert watch([JobEnd(1)], pid)[0] == ResourceHealth("postgresql", False, f"main process {pid} ended")
    os.waitpid(pid, 0)
    assert not Path(f"/proc/{pid}").exists()


def test_a_server_restarted_by_hand_before_the_next_check_is_healthy_again() -> None:
    """Only a healthy database lets a package leave maintenance."""
    pid = os.fork()
    if pid == 0:
        time.sleep(0.05)
        os._exit(0)
    assert watch([JobEnd(1)], pid, reports=2)[-1] == ResourceHealth("postgresql", True, "answers again")
    os.waitpid(pid, 0)
