# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Verdicts of single tests and of a whole run; the worst wins."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

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


def is_selected(category, name, only):
    """Whether a test is among I(only), names of categories and tests; empty means all."""
    return not only or category in only or name in only


def judge(category, name, problems, unknown=()):
    """PASS without findings; FAIL with problems; UNKNOWN where only something could not be looked at."""
    if problems:
        return Result(category, name, FAIL, tuple(problems) + tuple(unknown))
    return Result(category, name, UNKNOWN if unknown else PASS, tuple(unknown))


def postpone(result, reason):
    """SKIPPED for I(reason) in place of FAIL and UNKNOWN: what was looked for is only not there yet."""
    if result.verdict not in (FAIL, UNKNOWN):
        return result
    return Result(result.category, result.name, SKIPPED, (reason, *result.findings))


def warn(category, name, findings, unknown=()):
    """Like L(judge), with WARNING in place of FAIL: worth a look and no reason to stop."""
    result = judge(category, name, findings, unknown)
    return replace(result, verdict=WARNING) if findings else result


def summarise(results):
    """The whole run as a document: the worst verdict, the number of each, and every test."""
    counts = {verdict: sum(result.verdict == verdict for result in results) for verdict in _ORDER}
    tested = [result for result in results if result.verdict != SKIPPED]
    worst = max((result.verdict for result in results), key=_ORDER.index) if tested else UNKNOWN
    return {"verdict": worst, "counts": counts, "tests": [asdict(result) for result in results]}
