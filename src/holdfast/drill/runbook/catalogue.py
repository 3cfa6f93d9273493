"""The folder of runbooks, by their own name and by the names other products use for the same test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.drill.runbook.located import Problem
from holdfast.drill.runbook.model import Runbook
from holdfast.drill.runbook.parse import parse_runbook
from holdfast.drill.runbook.schema import suggest
from holdfast.drill.runbook.shape import CATEGORIES


class UnknownRunbook(Exception):
    """Nobody knows a runbook of this name; the message says what is near."""


@dataclass(frozen=True)
class Catalogue:
    """Runbooks by name, and what is wrong with the files that are none."""

    runbooks: Mapping[str, Runbook] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def find(self, name: str) -> Runbook:
        """By name, or by a name of another product: in full, or without its parameters. Only one runbook may carry it."""
        if name in self.runbooks:
            return self.runbooks[name]
        for short in (False, True):
            foreign = [r for r in self.runbooks.values() if name in foreign_names(r, short)]
            if len(foreign) == 1:
                return foreign[0]
            if foreign:
                raise UnknownRunbook(f"{name} is any of {', '.join(r.name for r in foreign)}: choose one")
        raise UnknownRunbook(f"no runbook {name!r}{suggest(name, tuple(self.runbooks))}; all of them: holdfast drill list")

    def ordered(self) -> list[Runbook]:
        """By category, then by name."""
        return sorted(self.runbooks.values(), key=lambda r: (CATEGORIES.index(r.category), r.name))


def foreign_names(runbook: Runbook, short: bool) -> set[str]:
    """What other products call it; `short` is the name without what follows it (`NODE_UP` of `NODE_UP ALL`)."""
    names = {name for names in runbook.known_as.values() for name in names}
    return {name.split(" ")[0] for name in names} if short else names


def load_catalogue(folders: Iterable[Path]) -> Catalogue:
    """Read every ``*.yml`` of the folders; a later folder's runbook replaces an earlier one of the same name."""
    runbooks: dict[str, Runbook] = {}
    problems: list[Problem] = []
    for file in (file for folder in folders for file in sorted(folder.glob("*.yml"))):
        result = parse_runbook(file.read_text(), str(file))
        if isinstance(result, Runbook):
            runbooks[result.name] = result
        else:
            problems.extend(result)
    return Catalogue(runbooks, tuple(problems))
