"""A watchdog is a character device that the kernel knows as one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from holdfast_agent.errors import WatchdogError
from holdfast_agent.watchdog.device import check_device, open_watchdog


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
    device = tmp_path / "class/watchdog/watchdog1"
    device.mkdir(parents=True)
    (device / "dev").write_text(f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}\n")
    check_device("/dev/null", tmp_path)
