"""The summary counts what really ran, and nothing that did not run is green."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.lab.errors import UsageError
from holdfast.suite.cli import chosen
from holdfast.suite.judge import Outcome, judge
from holdfast.suite.stages import Stage

STAGES = [Stage("a", "", ()), Stage("b", "", (), quick=False)]


def junit(path: Path, **counts: int) -> Path:
    words = " ".join(f'{key}="{value}"' for key, value in counts.items())
    path.write_text(f"<testsuites><testsuite {words}/></testsuites>")
    return path


@pytest.mark.parametrize(("counts", "code", "passed", "failed"), [
    ({"tests": 5}, 0, 5, 0),
    ({"tests": 5, "failures": 1, "errors": 1}, 1, 3, 2),
    ({"tests": 5, "skipped": 2}, 0, 3, 2),
    ({"tests": 5}, 2, 5, 1),
    ({"tests": 0}, 5, 0, 1),
    ({"tests": 0}, 0, 0, 1),
])
def test_pytest_stages_count_their_tests(tmp_path: Path, counts: dict[str, int], code: int, passed: int, failed: int) -> None:
    assert judge(code, junit(tmp_path / "x.xml", **counts), tmp_path / "log", 1.0) == Outcome(passed, failed, 1.0)


def test_a_missing_report_is_a_failure_even_with_exit_code_0(tmp_path: Path) -> None:
    assert judge(0, tmp_path / "none.xml", tmp_path / "log", 1.0) == Outcome(0, 1, 1.0)


@pytest.mark.parametrize(("text", "code", "passed", "failed"), [
    ("12 passed, 0 failed\n", 0, 12, 0),
    ("12 passed, 3 failed\n", 1, 12, 3),
    ("12 passed, 0 failed\n", 1, 12, 1),
    ("0 passed, 0 failed\n", 0, 0, 1),
    ("anything else\n", 0, 1, 0),
    ("", -1, 0, 1),
])
def test_other_stages_count_by_their_last_line_or_as_one(tmp_path: Path, text: str, code: int, passed: int, failed: int) -> None:
    log = tmp_path / "log"
    log.write_text(text)
    assert judge(code, None, log, 1.0) == Outcome(passed, failed, 1.0)


def test_quick_and_only_choose_stages() -> None:
    assert [s.name for s in chosen(STAGES, False, [])] == ["a", "b"]
    assert [s.name for s in chosen(STAGES, True, [])] == ["a"]
    assert [s.name for s in chosen(STAGES, False, ["b"])] == ["b"]
    assert [s.name for s in chosen(STAGES, False, ["b", "a"])] == ["a", "b"]


@pytest.mark.parametrize(("quick", "only", "said"), [
    (False, ["c"], "there is no stage 'c'; there are a, b"),
    (False, ["a", "c", "d"], "there is no stage 'c', 'd'; there are a, b"),
    (True, ["a", "b"], "--quick leaves b out; ask for it without --quick"),
])
def test_a_stage_that_would_not_run_is_refused(quick: bool, only: list[str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        chosen(STAGES, quick, only)
    assert (str(caught.value), caught.value.exit_code) == (said, 2)


def test_extra_stages_run_where_they_are_asked_for() -> None:
    stages = [*STAGES, Stage("c", "", (), quick=False, extra=True)]
    assert [s.name for s in chosen(stages, False, [])] == ["a", "b"]
    assert [s.name for s in chosen(stages, False, [], everything=True)] == ["a", "b", "c"]
    assert [s.name for s in chosen(stages, False, ["c"])] == ["c"]
