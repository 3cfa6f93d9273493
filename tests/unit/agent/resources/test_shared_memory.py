"""The old segment of a killed server: found by its id and its maker, and gone before the next start."""

from __future__ import annotations

import ctypes
import os
import time
from pathlib import Path

import pytest
from holdfast_agent.resources import postgresql
from holdfast_agent.resources.shared_memory import is_segment_of, remove_segment

TABLE = """\
       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid
         0          0   600                    80  3395  3618      2     0     0     0     0
       135      32831   600                    56 32495 32807      0   100   103   100   103
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "shm").write_text(TABLE)
    return tmp_path / "shm"


@pytest.mark.parametrize(("identity", "creator", "found"), [
    ("32831", 32495, True), ("32831", 32496, False), ("0", 32495, False), ("", 32495, False),
])
def test_a_segment_is_known_by_id_and_maker(table: Path, identity: str, creator: int, found: bool) -> None:
    assert is_segment_of(identity, creator, table) is found


def test_a_segment_of_somebody_else_stays(table: Path) -> None:
    assert not remove_segment("0", 1, table)


def test_without_a_table_there_is_nothing_to_remove(tmp_path: Path) -> None:
    assert not remove_segment("32831", 32495, tmp_path / "none")


def test_the_segment_that_a_dead_server_left_is_gone_before_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    identity = libc.shmget(0, 64, 0o1600)                   # IPC_PRIVATE, IPC_CREAT (include/uapi/linux/ipc.h)
    assert is_segment_of(str(identity), os.getpid())
    lines = [os.getpid(), tmp_path, 0, 5432, tmp_path, "*", f"{133:9} {identity:9}", "ready   "]
    (tmp_path / "postmaster.pid").write_text("".join(f"{line}\n" for line in lines))
    monkeypatch.setattr(postgresql, "process_is_alive", lambda pid: False)
    postgresql._remove_stale_locks(tmp_path, "5432", time.monotonic() + 5)
    assert not is_segment_of(str(identity), os.getpid())
    assert not (tmp_path / "postmaster.pid").exists()
