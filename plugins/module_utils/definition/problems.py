"""Collect everything that is wrong with an input instead of stopping at the first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One thing to correct: where it stands in the inventory, and what is wrong with it."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


def find_duplicates(located: Iterable[tuple[str, object]], what: str) -> list[Problem]:
    """Report every later use of a value that an earlier path already has.

    *located* yields (path, value); values must be hashable.
    """
    first: dict[object, str] = {}
    problems = []
    for path, value in located:
        if value in first:
            problems.append(Problem(path, f"{what} {value} is already used by {first[value]}"))
        else:
            first[value] = path
    return problems
