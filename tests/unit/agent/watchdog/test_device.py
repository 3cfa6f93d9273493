"""A watchdog is a character device that the kernel knows as one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from holdfast_agent.errors import WatchdogError
from holdfast_agent.watchdog import device
from holdfast_agent.watchdog.device import Countdown, check_device, open_watchdog


def test_a_plain_file_is_refused(tmp_path: Path) -> None:
    plain = tmp_path / "watchdog1"
    plain.touch()
    with pytest.raises(WatchdogError, match="not a character device"):
        open_watchdog(str(plain), 5)


def test_a_missing_device_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(WatchdogError):
        open_watchdog(str(tmp_path / "watchdog1"), 5)
    assert not (tmp_path / "watchdog1").exists()


def test_another_character_device_is_refused(tmp_path: Path) -> None:
    (tmp_path / "class/watchdog").mkdir(parents=True)
    with pytest.raises(WatchdogError, match="no watchdog known"):
        check_device("/dev/null", tmp_path)


def test_a_device_of_the_watchdog_class_is_accepted(tmp_path: Path) -> None:
    status = Path("/dev/null").stat()
    folder = tmp_path / "class/watchdog/watchdog1"
    folder.mkdir(parents=True)
    (folder / "dev").write_text(f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}\n")
    check_device("/dev/null", tmp_path)


class Device:
    """Stands in for an open watchdog; notes what is done to it."""

    identity = "Software Watchdog"

    def __init__(self, done: list[str]) -> None:
        self.done = done
        done.append("opened")

    def feed(self) -> None:
        self.done.append("fed")

    def disarm(self) -> None:
        self.done.append("disarmed")


@pytest.fixture
def countdown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Callable[[], Countdown], list[str]]:
    """What the next agent of this boot makes, and what was done to the device so far."""
    done: list[str] = []
    monkeypatch.setattr(device, "check_device", lambda path: None)
    opened: Any = lambda: Device(done)  # noqa: E731
    return lambda: Countdown("/dev/watchdog1", opened, tmp_path / "run" / "armed"), done


def test_the_first_agent_of_a_boot_arms_at_once(countdown: tuple[Callable[[], Countdown], list[str]]) -> None:
    agent, done = countdown
    first = agent()
    assert (first.inherited, first.identity, done) == (False, "Software Watchdog", ["opened"])
    first.feed()
    assert done == ["opened", "fed"]


def test_one_after_an_agent_that_died_opens_it_with_its_first_feeding(
    countdown: tuple[Callable[[], Countdown], list[str]]
) -> None:
    """The kernel counts opening as feeding: a loop of agents that live for a second kept a replaced node alive."""
    agent, done = countdown
    agent()
    second = agent()
    assert (second.inherited, second.identity, done) == (True, None, ["opened"])
    second.feed()
    second.feed()
    assert done == ["opened", "opened", "fed"]


def test_after_an_orderly_end_nothing_is_inherited(countdown: tuple[Callable[[], Countdown], list[str]]) -> None:
    agent, done = countdown
    agent()
    agent().disarm()
    assert done == ["opened", "opened", "disarmed"]
    assert not agent().inherited


def test_a_device_that_cannot_be_opened_is_no_countdown_for_the_next_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would begin to work without a watchdog, and find out an interval later."""
    monkeypatch.setattr(device, "check_device", lambda path: None)

    def busy() -> Any:
        raise WatchdogError("/dev/watchdog1 is held by another program", device="/dev/watchdog1")

    for _agent in range(2):
        with pytest.raises(WatchdogError):
            Countdown("/dev/watchdog1", busy, tmp_path / "armed")
