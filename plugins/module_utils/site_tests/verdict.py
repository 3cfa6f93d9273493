# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Verdicts of single tests and of a whole run; the worst wins."""

from __future__ import annotations

from dataclasses import asdict, dataclass

PASS, SKIPPED, WARNING, UNKNOWN, FAIL = "PASS", "SKIPPED", "WARNING", "UNKNOWN", "FAIL"
#: From the best to the worst. A skipped test has a reason and does not spoil a run; one that could not look does.
_ORDER = (PASS, SKIPPED, WARNING, UNKNOWN, FAIL)


@dataclass(frozen=True)
class Result:
    """One test: its category and name, its verdict, and the findings that led to it."""

    category: str
    name: str
    verdict: str
    findings: tuple[str, ...] = ()


def judge(category, name, problems, unknown=()):
    """PASS without findings; FAIL with problems; UNKNOWN where only something could not be looked at."""
    if problems:
        return Result(category, name, FAIL, tuple(problems) + tuple(unknown))
    return Result(category, name, UNKNOWN if unknown else PASS, tuple(unknown))


def warn(category, name, findings):
    """PASS without findings, else WARNING: worth a look and no reason to stop."""
    return Result(category, name, WARNING if findings else PASS, tuple(findings))


def summarise(results):
    """The whole run as a document: the worst verdict, the number of each, and every test."""
    counts = {verdict: sum(result.verdict == verdict for result in results) for verdict in _ORDER}
    tested = [result for result in results if result.verdict != SKIPPED]
    worst = max((result.verdict for result in results), key=_ORDER.index) if tested else UNKNOWN
    return {"verdict": worst, "counts": counts, "tests": [asdict(result) for result in results]}
