"""The demonstration without its nodes: one at a time, and nothing of it stays, however it ends."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.alone import alone
from holdfast.demo import cli, playbook
from holdfast.lab.errors import HostError, LabError
from holdfast.lab.lab import Lab
from tests.closed_environment import REAL_POPEN


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What is asked of a lab that comes up at once; the folder of the demo is the test's."""
    asked: list[str] = []
    monkeypatch.setenv("HOLDFAST_STATE", str(tmp_path))
    monkeypatch.setattr(cli, "install_missing", lambda **words: asked.append("packages"))
    monkeypatch.setattr(Lab, "up", lambda self, topology, **words: asked.append("up"))
    monkeypatch.setattr(Lab, "down", lambda self, **words: asked.append("down"))
    monkeypatch.setattr(Lab, "runs", property(lambda self: "up" in asked))
    return asked


def drills(*verdicts: str) -> Callable[..., cli.Result]:
    left = list(verdicts)
    return lambda name, logs, report: cli.Result(name, left.pop(0), 1.234, 3.0, "0 of 9 rows lost", logs / "report.html")


def demo(keep: bool = False) -> int:
    return cli.run(argparse.Namespace(keep=keep))


@pytest.mark.parametrize(("verdicts", "code"), [(("PASS", "PASS"), 0), (("PASS", "FAIL"), 1), (("UNKNOWN", "PASS"), 2),
                                                (("FAIL", "UNKNOWN"), 1)])
def test_the_exit_code_is_the_worst_verdict(world: list[str], monkeypatch: pytest.MonkeyPatch,
                                            capsys: pytest.CaptureFixture[str], verdicts: tuple[str, ...], code: int) -> None:
    monkeypatch.setattr(cli, "run_playbook", lambda name, *words: world.append(name))
    monkeypatch.setattr(cli, "_drill", drills(*verdicts))
    assert demo() == code
    assert world == ["packages", "up", "build_cluster", "deploy_packages", "down"]
    shown = capsys.readouterr().out
    assert f"{verdicts[0]:<8}switchover   clients waited 1.23 s (allowed 3 s); 0 of 9 rows lost" in shown
    assert "Reports: " in shown


@pytest.mark.parametrize("error", [LabError("the playbook failed"), KeyboardInterrupt()])
@pytest.mark.parametrize("keep", [False, True])
def test_the_lab_is_taken_down_whatever_happens(world: list[str], monkeypatch: pytest.MonkeyPatch, error: BaseException,
                                                keep: bool) -> None:
    def fail(*words: object) -> None:
        raise error

    monkeypatch.setattr(cli, "run_playbook", fail)
    with pytest.raises(type(error)):
        demo(keep)
    assert world == ["packages", "up", *([] if keep else ["down"])]


def test_a_machine_that_cannot_run_it_is_left_alone(world: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**words: object) -> None:
        raise HostError("old kernel")

    monkeypatch.setattr(cli, "install_missing", refuse)
    with pytest.raises(HostError, match="old kernel"):
        demo()
    assert world == []


@pytest.mark.parametrize("refused", [False, True])
def test_a_lab_that_was_kept_is_not_ended_by_the_next_demo(world: list[str], monkeypatch: pytest.MonkeyPatch,
                                                           capsys: pytest.CaptureFixture[str], refused: bool) -> None:
    def refuse(**words: object) -> None:
        raise HostError("old kernel")

    world.append("up")
    monkeypatch.setattr(cli, "run_playbook", lambda *words: None)
    monkeypatch.setattr(cli, "_drill", drills("PASS", "PASS"))
    if refused:
        monkeypatch.setattr(cli, "install_missing", refuse)
        with pytest.raises(HostError):
            demo()
    else:
        assert demo() == 0
        assert "The lab 'demo' still runs" in capsys.readouterr().out
    assert "down" not in world


def test_one_demo_at_a_time(world: list[str], tmp_path: Path) -> None:
    """The first one's lab would be taken down by the end of the second."""
    with alone(tmp_path / "demo", "x"), pytest.raises(LabError, match="another `holdfast demo` of this user is running"):
        demo()
    assert world == []


def test_a_playbook_ends_with_the_demo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A signal for the demo alone does not reach what it started."""
    started: list[subprocess.Popen[str]] = []
    code = "import time; print('TASK [holdfast.cluster.package : install | Do a thing]', flush=True); time.sleep(60)"

    def start(argv: list[str], **options: object) -> subprocess.Popen[str]:
        started.append(REAL_POPEN([sys.executable, "-c", code], **options))  # type: ignore[call-overload]
        return started[0]

    def interrupt(text: str) -> None:
        assert text == "build_cluster: package : install | Do a thing"
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", start)
    with pytest.raises(KeyboardInterrupt):
        playbook.run_playbook("build_cluster", "demo", tmp_path / "log", interrupt)
    assert started[0].wait(10) == -signal.SIGTERM


def test_a_playbook_has_the_settings_of_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code = "import os; print(f'TASK [{os.environ[\"ANSIBLE_CONFIG\"]}]')"
    monkeypatch.setenv("ANSIBLE_CONFIG", "/the/callers/own.cfg")
    monkeypatch.setattr(subprocess, "Popen", lambda argv, **options: REAL_POPEN([sys.executable, "-c", code], **options))
    told: list[str] = []
    playbook.run_playbook("build_cluster", "demo", tmp_path / "log", told.append)
    assert told == [f"build_cluster: {playbook.ROOT}/ansible.cfg"]


def test_a_failed_playbook_is_named_with_its_task(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code = "print('TASK [x]'); print('fatal: [node1]: FAILED! => no disk'); raise SystemExit(2)"
    monkeypatch.setattr(subprocess, "Popen", lambda argv, **options: REAL_POPEN([sys.executable, "-c", code], **options))
    with pytest.raises(LabError, match=r"the playbook build_cluster\.yml failed: fatal: \[node1\]: FAILED! => no disk \(all of"):
        playbook.run_playbook("build_cluster", "demo", tmp_path / "log", lambda text: None)


def test_a_verdict_is_read_as_the_drill_wrote_it(tmp_path: Path) -> None:
    (tmp_path / "verdict.json").write_text(json.dumps({
        "runbook": "owner_crash", "verdict": "PASS", "outage_seconds": None, "outage_limit_seconds": None,
        "checks": [{"name": "acknowledged", "summary": "0 of 9 rows lost"}]}))
    assert cli.read_result(tmp_path).sentence() == "PASS    owner_crash  clients waited not measured; 0 of 9 rows lost"
