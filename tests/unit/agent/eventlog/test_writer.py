"""The event log."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from holdfast_agent.eventlog import writer
from holdfast_agent.eventlog.writer import EventLog


class HangError(Exception):
    """Something blocked that must not."""


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    def interrupt(number: int, frame: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_has_both_clocks_and_its_fields(tmp_path: Path) -> None:
    EventLog("node1", tmp_path / "log/events.jsonl").write("state", package="erp", state="owner", reason="won")
    (line,) = lines(tmp_path / "log/events.jsonl")
    assert line["node"] == "node1" and line["package"] == "erp" and line["event"] == "state"
    assert isinstance(line["t_mono"], float) and str(line["t_wall"]).endswith("+00:00")
    assert (line["state"], line["reason"]) == ("owner", "won")


def test_it_is_rotated_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAXIMUM_BYTES", 400)
    log = EventLog("node1", tmp_path / "events.jsonl")
    for number in range(6):
        log.write("tick", number=number)
    assert (tmp_path / "events.jsonl").stat().st_size <= 400
    assert lines(tmp_path / "events.jsonl")[-1]["number"] == 5
    assert (tmp_path / "events.jsonl.1").exists()


def test_a_rotation_on_a_full_disk_leaves_no_stray_descriptor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed log whose number means another file by now would be written into that one."""
    monkeypatch.setattr(writer, "MAXIMUM_BYTES", 400)
    log = EventLog("node1", tmp_path / "events.jsonl")
    real = writer.os.open

    def full(path: Path, flags: int, mode: int = 0o777) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer.os, "open", full)
    for number in range(4):
        log.write("tick", number=number)
    monkeypatch.setattr(writer.os, "open", real)
    with (tmp_path / "other").open("w"):
        log.write("tick", number=4)
        log.write("tick", number=5)
    assert (tmp_path / "other").read_text() == ""
    assert [line["number"] for line in lines(tmp_path / "events.jsonl")][-1] == 5


def test_a_full_disk_loses_lines_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = EventLog("node1", tmp_path / "events.jsonl")
    real = writer.os.write

    def full(handle: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer.os, "write", full)
    log.write("lost")
    log.write("lost")
    monkeypatch.setattr(writer.os, "write", real)
    log.write("kept")
    (line,) = lines(tmp_path / "events.jsonl")
    assert (line["event"], line["lost_lines"]) == ("kept", 2)


def test_a_journal_that_takes_nothing_does_not_hold_the_agent_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its end of the socket is open and nobody reads: a blocking write would wait for ever, and the watchdog would not."""
    ours, theirs = socket.socketpair()
    monkeypatch.setattr(writer.sys, "stderr", SimpleNamespace(fileno=ours.fileno))
    with ours, theirs:
        log = EventLog("node1", tmp_path / "events.jsonl")
        with interrupted_after(20.0):
            for number in range(3000):
                log.write("tick", number=number, reason="x" * 200)
    assert lines(tmp_path / "events.jsonl")[-1]["number"] == 2999


def test_what_a_power_cut_left_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    for torn in (b"\0" * 500, b'{"event": "ha', b'{"event": "ha\0\0\0'):
        path.write_bytes(b'{"event": "whole"}\n' + torn)
        EventLog("node1", path).write("next")
        assert [line["event"] for line in lines(path)] == ["whole", "next"]
