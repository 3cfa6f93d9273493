"""Processes that hold a mount, with real ones."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from holdfast_agent.volume.holders import end_holders, find_holders


def spawn(directory: Path, code: str) -> int:
    """A child whose working directory is ``directory``; forked, because starting programs is closed in unit tests."""
    pid = os.fork()
    if pid == 0:
        os.chdir(directory)
        if code == "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(30)
        os._exit(0)
    while str(Path(f"/proc/{pid}/cwd").readlink()) != str(directory):
        time.sleep(0.01)
    time.sleep(0.05)
    return pid


def test_a_holder_is_found_by_its_working_directory(tmp_path: Path) -> None:
    pid = spawn(tmp_path, "polite")
    try:
        assert [(holder.pid, holder.use) for holder in find_holders(str(tmp_path))] == [(pid, "cwd")]
        assert find_holders(str(tmp_path / "other")) == ()
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def test_a_name_that_only_begins_alike_is_no_holder(tmp_path: Path) -> None:
    inside = tmp_path / "erp2"
    inside.mkdir()
    pid = spawn(inside, "polite")
    try:
        assert find_holders(str(tmp_path / "erp")) == ()
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def test_one_that_ignores_the_question_is_forced(tmp_path: Path) -> None:
    pid = spawn(tmp_path, "stubborn")
    end_holders(str(tmp_path), time.monotonic() + 5)
    assert os.waitpid(pid, 0)[1] & 0x7F == 9
