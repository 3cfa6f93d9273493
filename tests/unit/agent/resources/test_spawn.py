"""A server's output stays bounded while the server goes on writing."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_agent.resources import spawn


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawn, "LOG_DIRECTORY", tmp_path)
    monkeypatch.setattr(spawn, "MAXIMUM_LOG_BYTES", 10)


def test_a_long_log_is_cut_under_its_server(tmp_path: Path) -> None:
    path = spawn.log_path("erp", "postgresql")
    with path.open("a", buffering=1) as server:
        server.write("0123456789\n")
        spawn.bound_log("erp", "postgresql")
        server.write("goes on\n")
    assert path.read_text() == "goes on\n"
    assert (tmp_path / "erp-postgresql.log.1").read_text() == "0123456789\n"


def test_a_short_log_and_none_are_left_alone(tmp_path: Path) -> None:
    spawn.bound_log("erp", "postgresql")
    spawn.log_path("erp", "postgresql").write_text("short\n")
    spawn.bound_log("erp", "postgresql")
    assert [path.name for path in tmp_path.iterdir()] == ["erp-postgresql.log"]
