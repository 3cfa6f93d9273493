"""What a server that was killed leaves behind does not keep the next one from starting."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from holdfast_agent.errors import ResourceError
from holdfast_agent.resources import postgresql


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A data directory and, beside it, the folder of sockets, as a killed server leaves them; returns the former."""
    directory, sockets = tmp_path / "pgdata", tmp_path / "run"
    directory.mkdir()
    sockets.mkdir()
    (directory / "postmaster.pid").write_text(f"{os.getpid()}\n{directory}\n1\n5432\n{sockets}\n*\n1 2\nready   \n")
    for port in (5432, 5433):
        (sockets / f".s.PGSQL.{port}.lock").write_text(f"{os.getpid()}\n")
    return directory


def test_both_locks_go_and_another_servers_stays(left: Path) -> None:
    postgresql._remove_stale_locks(left, "5432", time.monotonic() + 0.1)
    assert not (left / "postmaster.pid").exists()
    assert [path.name for path in (left.parent / "run").iterdir()] == [".s.PGSQL.5433.lock"]


def test_a_server_that_works_there_keeps_its_locks(left: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], cwd=left, stdin=subprocess.PIPE) as server:
        with pytest.raises(ResourceError, match=f"processes .*{server.pid}.* still work"):
            postgresql._remove_stale_locks(left, "5432", time.monotonic() + 0.1)
        server.communicate(b"\n")
    assert (left / "postmaster.pid").exists()
    assert (left.parent / "run" / ".s.PGSQL.5432.lock").exists()


@pytest.mark.parametrize("text", ["", "12\n"])
def test_a_lock_that_was_being_written_goes_too(left: Path, text: str) -> None:
    (left / "postmaster.pid").write_text(text)
    postgresql._remove_stale_locks(left, "5432", time.monotonic() + 0.1)
    assert not (left / "postmaster.pid").exists()
