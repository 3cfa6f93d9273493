"""Writes a realistic evidence folder with its report: ``python -m tests.unit.report.sample owner_crash FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

from holdfast.drill.verdict.history import History
from holdfast.drill.verdict.judge import judge
from holdfast.drill.verdict.load import load_history
from holdfast.drill.verdict.result import Judgement
from holdfast.drill.verdict.write import write_verdict
from holdfast.report.render import write_report
from tests.unit.drill.scripts import script_for
from tests.unit.drill.world import Recorder


def write_sample(name: str, root: Path, pause: float = 0.02) -> tuple[History, Judgement]:
    """A healthy run of the runbook `name`, judged and reported."""
    root.mkdir(parents=True, exist_ok=True)
    Recorder(script_for(name), root, pause=pause).record()
    history = load_history(root)
    judgement = judge(history)
    write_verdict(root, history, judgement)
    write_report(root, history, judgement)
    return history, judgement


if __name__ == "__main__":
    write_sample(sys.argv[1], Path(sys.argv[2]))
