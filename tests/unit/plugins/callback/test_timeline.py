"""The short timeline of a play, and a drill that runs from plain ansible-playbook with it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.holdfast.cluster.plugins.callback.timeline import (
    describe_failure,
    describe_outcomes,
    describe_words,
)

ROOT = Path(__file__).parents[4]
# In place of the command line: what it was called with, and a drill's output as it is.
DRILL = """#!/bin/sh
echo "$*" > called
printf '    0.0 s  [reset]\\n   12.9 s    ! node crash at node1: it does not answer any more\\n'
test "$CODE" = 2 && echo "holdfast: another drill runs on cluster lab" >&2 && exit 2
printf '\\n%s: The owner crashes\\n  Outage within the objective: 2.89 s\\nreport: /x/report.html\\n' "$VERDICT"
exit "$CODE"
"""


def test_equal_outcomes_are_said_once() -> None:
    assert describe_outcomes({"node2": "ok", "node1": "changed"}) == "node1 changed, node2 ok"
    assert describe_outcomes(dict.fromkeys(("a", "b", "c"), "ok")) == "ok on 3 hosts"


@pytest.mark.parametrize(("result", "lines"), [
    ({"msg": "FAIL: x\n\nreport: y\n"}, ["FAIL: x", "report: y"]),
    ({"msg": "", "stderr": "first\nlast\n"}, ["last"]),
    ({}, ["no message"]),
])
def test_why_a_task_failed(result: dict[str, object], lines: list[str]) -> None:
    assert describe_failure(result) == lines


@pytest.mark.parametrize(("result", "lines"), [
    ({"msg": "quiet"}, []),
    ({"_ansible_verbose_always": True, "msg": ["a", 1]}, ["a", "1"]),
    ({"_ansible_verbose_always": True, "msg": "a\nb"}, ["a", "b"]),
])
def test_only_what_a_task_was_made_to_say_is_printed(result: dict[str, object], lines: list[str]) -> None:
    assert describe_words(result) == lines


def play(folder: Path, code: int, verdict: str = "", *words: str) -> subprocess.CompletedProcess[str]:
    """The playbook with a drill that ends like this."""
    (folder / "holdfast").write_text(DRILL)
    (folder / "holdfast").chmod(0o755)
    (folder / "inventory.yml").write_text("all: {hosts: {localhost: {ansible_connection: local}}}\n")
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(folder / "inventory.yml"),
            str(ROOT / "playbooks" / "run_drill.yml"), "-e", f"drill_name=owner_crash drill_project={folder}",
            *words]  # fmt: skip
    settings = {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_STDOUT_CALLBACK": "holdfast.cluster.timeline",
                "ANSIBLE_NOCOLOR": "1", "CODE": str(code), "VERDICT": verdict}  # fmt: skip
    return subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ, **settings})


def test_a_drill_from_plain_ansible_playbook_shows_its_timeline(tmp_path: Path) -> None:
    done = play(tmp_path, 0, "PASS", "-e", "drill_load=4 drill_integrity=true drill_package=erp")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d s +\d+\.\d s  Run \| Run the drill: localhost changed\n", done.stdout)
    assert " 12.9 s    ! node crash at node1" in done.stdout and "report: /x/report.html" in done.stdout
    called = (tmp_path / "called").read_text()
    assert called.startswith("drill run owner_crash --plain --inventory ")
    assert "--package erp" in called and called.endswith("--load 4 --integrity\n")


@pytest.mark.parametrize(("code", "verdict", "words"), [
    (1, "FAIL", "localhost: FAIL: The owner crashes"),
    (2, "", "localhost: holdfast: another drill runs on cluster lab"),
])
def test_a_drill_that_did_not_pass_fails_the_play_and_says_why(tmp_path: Path, code: int, verdict: str, words: str) -> None:
    done = play(tmp_path, code, verdict)
    assert done.returncode == 2
    assert words in done.stdout, done.stdout
