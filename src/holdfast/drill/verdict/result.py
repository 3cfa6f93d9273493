"""Three values; the worst wins.

UNKNOWN is not a softer FAIL: FAIL means "the cluster did something wrong", UNKNOWN means "this run cannot tell".
FAIL is the worse one, so that missing evidence never hides a real failure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check, or a whole run, ended."""

    PASS = "PASS"
    UNKNOWN = "UNKNOWN"
    FAIL = "FAIL"


BADNESS = {Verdict.PASS: 0, Verdict.UNKNOWN: 1, Verdict.FAIL: 2}
EXIT_CODES = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.UNKNOWN: 2}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of them; of nothing at all it is UNKNOWN, because nothing was looked at."""
    return max(verdicts, key=BADNESS.__getitem__, default=Verdict.UNKNOWN)


@dataclass(frozen=True)
class CheckResult:
    """The answer of one check: a sentence for everybody, findings for the engineer, numbers where there are some."""

    name: str
    title: str
    verdict: Verdict
    summary: str
    findings: tuple[str, ...] = ()
    measured: float | None = None
    limit: float | None = None
    unit: str = ""


@dataclass(frozen=True)
class Judgement:
    """All answers of one run."""

    checks: tuple[CheckResult, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of all checks."""
        return worst(check.verdict for check in self.checks)

    def of(self, name: str) -> CheckResult:
        """The answer of one check. StopIteration where there is none of this name, which is a bug."""
        return next(check for check in self.checks if check.name == name)
