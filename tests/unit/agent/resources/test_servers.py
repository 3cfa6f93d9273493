"""A database that was running before the agent: taken over where it answers, given up soon where it hangs."""

from __future__ import annotations

import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from holdfast_agent.config import Resource
from holdfast_agent.errors import DeadlineError, ResourceError
from holdfast_agent.resources import mariadb, postgresql, processes
from holdfast_agent.resources.postgresql import PidFile

PID = 4711
START_SECONDS = 900.0


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Both servers are there, by all that can be seen without asking them."""
    for module in (postgresql, mariadb):
        monkeypatch.setattr(module, "_data_directory", lambda resource: tmp_path)
        monkeypatch.setattr(module, "process_is_alive", lambda pid: True)
        monkeypatch.setattr(module, "processes_in", lambda directory: (PID,))
    monkeypatch.setattr(postgresql, "read_pid_file", lambda directory: PidFile(PID, "5432", "/run", "133 65540", "ready"))
    monkeypatch.setattr(mariadb, "program", lambda resource: tmp_path)
    monkeypatch.setattr(mariadb, "ControlGroup", lambda package, name: None)
    monkeypatch.setattr(mariadb, "_server_pid", lambda directory, group: PID)
    monkeypatch.setattr(mariadb, "socket_path", lambda resource: str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("server", [postgresql, mariadb])
def test_a_server_that_hangs_is_not_waited_for_as_long_as_a_start_may_take(
    server: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience: list[float] = []

    def hang(resource: Resource, deadline: float) -> None:
        patience.append(deadline - time.monotonic())
        raise DeadlineError("no answer")

    monkeypatch.setattr(server, "check", hang)
    with pytest.raises(DeadlineError):
        server.start(Resource("erp", "db", "", {}), time.monotonic() + START_SECONDS)
    assert len(patience) == 1 and 5.0 < patience[0] <= 20.0


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("server", [postgresql, mariadb])
def test_a_server_that_answers_is_taken_over(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "check", lambda resource, deadline: None)
    assert server.start(Resource("erp", "db", "", {}), time.monotonic() + START_SECONDS) == {"pid": PID}


def test_a_killed_server_on_its_way_out_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = [(PID,), (PID,), ()]
    monkeypatch.setattr(processes, "processes_in", lambda directory: looks.pop(0))
    processes.wait_until_left("/srv/erp/pgdata", time.monotonic() + START_SECONDS)
    assert not looks


def test_somebody_who_stays_in_the_data_directory_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "processes_in", lambda directory: (PID,))
    monkeypatch.setattr(processes, "LEAVE_SECONDS", 0.05)
    with pytest.raises(ResourceError, match=r"4711.* still work in /srv/erp/pgdata"):
        processes.wait_until_left("/srv/erp/pgdata", time.monotonic() + START_SECONDS)
