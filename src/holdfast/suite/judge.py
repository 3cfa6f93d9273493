"""What a stage's end means, in counts. Nothing that was skipped, cut off or not counted is green."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """How many checks of a stage passed and failed. A stage that could not run counts as one failed check."""

    passed: int
    failed: int
    seconds: float


def judge(code: int, junit: Path | None, log: Path, seconds: float) -> Outcome:
    """Counts from the tests' own report where there is one. A skipped test counts as failed: it proved nothing."""
    if junit is None:
        counted = re.search(r"^(\d+) passed, (\d+) failed$", log.read_text(errors="replace"), re.MULTILINE)
        passed, failed = (int(counted[1]), int(counted[2])) if counted else (int(code == 0), 0)
        return Outcome(passed, max(failed, int(code != 0 or not passed)), seconds)
    try:
        suite = next(ET.parse(junit).getroot().iter("testsuite"))
    except (OSError, ET.ParseError, StopIteration):
        return Outcome(0, 1, seconds)
    bad = sum(int(suite.get(key, 0)) for key in ("failures", "errors", "skipped"))
    passed = int(suite.get("tests", 0)) - bad
    return Outcome(passed, max(bad, int(code != 0 or not passed)), seconds)
