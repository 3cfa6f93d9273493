"""A small vocabulary of types that checks a document completely before it gives up.

JSON Schema engines stop being readable exactly where a runbook needs them most: "which of these step kinds did you
mean". Every type here says what it is in words (the reference page prints them) and reports each problem with its path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Protocol

from holdfast.drill.runbook.located import Located, Path


class Type(Protocol):
    """Something a value can be checked against."""

    def check(self, value: Any, path: Path, document: Located) -> None:
        """Report to the document all that is wrong with the value at this path; never raises for what a person wrote."""

    def words(self) -> str:
        """What it is, as the reference page and error messages say it."""


@dataclass(frozen=True)
class Text:
    """Text that is not empty; the pattern has to match all of it (`re.fullmatch`)."""

    pattern: str = ""

    def check(self, value: Any, path: Path, document: Located) -> None:
        if not isinstance(value, str) or not value.strip():
            document.report(path, f"must be text, is {value!r}")
        elif self.pattern and not re.fullmatch(self.pattern, value):
            document.report(path, f"{value!r} does not match {self.pattern}")

    def words(self) -> str:
        return f"text matching `{self.pattern}`" if self.pattern else "text"


@dataclass(frozen=True)
class Number:
    """A number from `minimum` to `maximum`, both allowed."""

    minimum: float = 0
    maximum: float | None = None
    whole: bool = False

    def check(self, value: Any, path: Path, document: Located) -> None:
        if isinstance(value, bool) or not isinstance(value, int if self.whole else (int, float)):
            document.report(path, f"must be a {'whole ' if self.whole else ''}number, is {value!r}")
        elif value < self.minimum or (self.maximum is not None and value > self.maximum):
            document.report(path, f"{value} is out of range ({self.words()})")

    def words(self) -> str:
        top = "" if self.maximum is None else f", at most {self.maximum:g}"
        return f"{'whole ' if self.whole else ''}number, at least {self.minimum:g}{top}"


@dataclass(frozen=True)
class Flag:
    """True or false, and nothing that only looks like it."""

    def check(self, value: Any, path: Path, document: Located) -> None:
        if not isinstance(value, bool):
            document.report(path, f"must be true or false, is {value!r}")

    def words(self) -> str:
        return "true or false"


@dataclass(frozen=True)
class Choice:
    """One of these words."""

    values: tuple[str, ...]

    def check(self, value: Any, path: Path, document: Located) -> None:
        if value not in self.values:
            document.report(path, f"{value!r} is not one of {', '.join(self.values)}{suggest(value, self.values)}")

    def words(self) -> str:
        return "one of " + ", ".join(f"`{value}`" for value in self.values)


@dataclass(frozen=True)
class ListOf:
    """At least `minimum` items, all of one type."""

    item: Type
    minimum: int = 0

    def check(self, value: Any, path: Path, document: Located) -> None:
        if not isinstance(value, list):
            document.report(path, f"must be a list, is {value!r}")
            return
        if len(value) < self.minimum:
            document.report(path, f"needs at least {self.minimum} item(s)")
        for index, item in enumerate(value):
            self.item.check(item, (*path, index), document)

    def words(self) -> str:
        return f"list of {self.item.words()}"


@dataclass(frozen=True)
class MapOf:
    """Free keys (a parameter list, names of other products); the values are checked."""

    item: Type | None = None

    def check(self, value: Any, path: Path, document: Located) -> None:
        if not isinstance(value, Mapping):
            document.report(path, f"must be a mapping, is {value!r}")
        elif self.item is not None:
            for key, entry in value.items():
                self.item.check(entry, (*path, key), document)

    def words(self) -> str:
        return f"mapping of names to {self.item.words()}" if self.item else "mapping"


@dataclass(frozen=True)
class Field:
    """One key of a record: its type, whether it must be there, and the sentence the reference page prints."""

    name: str
    type: Type
    doc: str
    required: bool = False
    default: Any = None


@dataclass(frozen=True)
class Record:
    """A mapping with these keys and no others; `name` is its section on the reference page, `doc` the text there."""

    name: str
    doc: str
    fields: tuple[Field, ...]

    def check(self, value: Any, path: Path, document: Located) -> None:
        if not isinstance(value, Mapping):
            document.report(path, f"must be a mapping with {', '.join(f.name for f in self.fields)}, is {value!r}")
            return
        known = {f.name: f for f in self.fields}
        for key in value:
            if key not in known:
                document.report((*path, key), f"unknown key{suggest(key, tuple(known))}")
        for item in self.fields:
            if item.name in value:
                item.type.check(value[item.name], (*path, item.name), document)
            elif item.required:
                document.report(path, f"key {item.name!r} is missing")

    def words(self) -> str:
        return f"[{self.name}](#{self.name})"


@dataclass(frozen=True)
class OneKeyOf:
    """A mapping with exactly one of several keys (the kind of a step), plus keys that every kind may have."""

    name: str
    doc: str
    kinds: tuple[Field, ...]
    extra: tuple[Field, ...] = field(default_factory=tuple)

    def check(self, value: Any, path: Path, document: Located) -> None:
        kinds = {kind.name: kind for kind in self.kinds}
        extra = {item.name: item for item in self.extra}
        if not isinstance(value, Mapping):
            document.report(path, f"must be a mapping with one of {', '.join(kinds)}, is {value!r}")
            return
        found = [key for key in value if key in kinds]
        if len(found) != 1:
            document.report(path, f"needs exactly one of {', '.join(kinds)}; has {', '.join(found) or 'none'}")
        for key, entry in value.items():
            chosen = kinds.get(key) or extra.get(key)
            if chosen is None:
                document.report((*path, key), f"unknown key{suggest(key, (*kinds, *extra))}")
            else:
                chosen.type.check(entry, (*path, key), document)

    def words(self) -> str:
        return f"[{self.name}](#{self.name})"


def suggest(value: Any, known: tuple[str, ...]) -> str:
    """`` (did you mean 'x'?)`` where a known word is near, else nothing."""
    near = get_close_matches(str(value), known, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
