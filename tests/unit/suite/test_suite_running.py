"""A stage's output, its deadline, and that nothing of it stays."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.alone import alone
from holdfast.cli import main
from holdfast.lab.errors import LabError
from holdfast.suite import cli, running
from holdfast.suite.judge import Outcome
from holdfast.suite.stages import Stage, all_stages

STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = os.fork()
if child:
    open(sys.argv[1], 'w').write(str(child))
time.sleep(60)
"""
TIDY = """
import time
try:
    print('[ 45%]', flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print('tidied up', flush=True)
"""
SIDE_BY_SIDE = """
import pytest

def test_good(worker_id):
    assert worker_id != 'master'

def test_bad():
    assert False

@pytest.mark.skip(reason='there is one more')
def test_left_out():
    pass
"""


@pytest.fixture(autouse=True)
def logs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(running, "LOGS", tmp_path)
    monkeypatch.setattr(running, "GRACE_SECONDS", 1.0)
    return tmp_path


def stage(code: str, *words: str) -> Stage:
    return Stage("x", "a purpose", (sys.executable, "-c", code, *words), timeout_seconds=30)


def is_running(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{number}/stat").read_text().split(") ")[1][0] != "Z"


def test_a_failed_stage_shows_the_end_of_its_output(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = running.run_stage(stage("import sys; print('why'); sys.exit(3)"))
    assert (outcome.passed, outcome.failed) == (0, 1)
    assert capsys.readouterr().out.splitlines()[0] == "  why"


def test_a_good_stage_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert running.run_stage(stage("print('7 passed, 0 failed')")).passed == 7
    shown = capsys.readouterr()
    assert [line.split()[:5] for line in shown.out.splitlines()] == [["x", "7", "passed", "0", "failed"]]
    assert "x: a purpose" in shown.err


def test_a_tool_that_is_missing_is_a_failure(logs: Path) -> None:
    outcome = running.run_stage(Stage("x", "", ("/nonexistent/tool",)))
    assert outcome.failed == 1
    assert (logs / "x.log").read_text() == "/nonexistent/tool could not be started: No such file or directory\n"


def test_a_late_stage_is_interrupted_and_tidies_up(logs: Path) -> None:
    outcome = running.run_stage(replace(stage(TIDY), timeout_seconds=2))
    assert outcome.failed == 1
    assert set((logs / "x.log").read_text().split("\n")) >= {"tidied up", "not done within 2 s"}


def test_a_late_stage_of_a_background_job_tidies_up_as_well(logs: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        running.run_stage(replace(stage(TIDY), timeout_seconds=2))
    finally:
        signal.signal(signal.SIGINT, before)
    assert "tidied up" in (logs / "x.log").read_text()


def test_a_late_stage_that_ignores_the_interrupt_is_killed_with_its_children(logs: Path) -> None:
    assert running.run_stage(replace(stage(STUBBORN, str(logs / "child")), timeout_seconds=2)).failed == 1
    child = int((logs / "child").read_text())
    deadline = time.monotonic() + 5
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(child)


def test_a_long_stage_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(running, "WORD_SECONDS", 0.2)
    running.run_stage(replace(stage(TIDY), timeout_seconds=2, pytest=True))
    assert "x: a purpose: 45 %" in capsys.readouterr().err
    running.run_stage(replace(stage(TIDY), timeout_seconds=2))
    told = capsys.readouterr().err
    assert "x: a purpose" in told
    assert "%" not in told


def test_unit_tests_side_by_side_are_counted_and_say_how_far_they_are(logs: Path) -> None:
    (logs / "test_x.py").write_text(SIDE_BY_SIDE)
    (unit,) = [one for one in all_stages() if one.name == "unit"]
    argv = [str(logs / "test_x.py") if word == "tests/unit" else word for word in unit.argv]
    outcome = running.run_stage(replace(unit, argv=(*argv, "-c", str(running.ROOT / "pyproject.toml"))))
    assert (outcome.passed, outcome.failed) == (1, 2), (logs / "unit.log").read_text()
    assert running.percent(logs / "unit.log") == ": 100 %"


@pytest.mark.parametrize(("outcomes", "code", "summary"), [
    ([(3, 0), (1, 0)], 0, "4 passed, 0 failed"),
    ([(3, 0), (1, 2)], 1, "4 passed, 2 failed"),
    ([(0, 0)], 1, "0 passed, 0 failed"),
])
def test_the_last_line_is_the_summary(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], logs: Path,
                                      outcomes: list[tuple[int, int]], code: int, summary: str) -> None:
    ends = iter(outcomes)
    monkeypatch.setattr(cli, "all_stages", lambda: [Stage(str(number), "", ()) for number in range(len(outcomes))])
    monkeypatch.setattr(cli, "LOGS", logs)
    monkeypatch.setattr(cli, "prepare", lambda stages: None)
    monkeypatch.setattr(cli, "run_stage", lambda stage: Outcome(*next(ends), 0.0))
    assert main(["test"]) == code
    assert capsys.readouterr().out.splitlines()[-1] == summary


def test_quick_stages_need_no_nodes() -> None:
    names = [stage.name for stage in all_stages()]
    assert len(set(names)) == len(names)
    for one in all_stages():
        assert not (one.quick and "lab" in one.argv), one.name


def test_one_run_at_a_time(logs: Path) -> None:
    with alone(logs, "x"), pytest.raises(LabError, match="another `holdfast test` is running"), alone(logs, cli.BUSY):
        pass
    with alone(logs, "x"):
        pass
