"""YAML that remembers the line of everything.

A person who gets "steps[2].fault.target: …" wants to know where in the file that is, and wants all of it at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a file, with the place a person has to go to."""

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}"
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


@dataclass
class Located:
    """A parsed document: plain values, and the line (from 1) of every path in it."""

    file: str
    value: Any
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    places: set[Path] = field(default_factory=set)
    """Paths of the problems, and of everything around them."""

    def line_of(self, path: Path) -> int:
        """Line of a path, or of its nearest parent that exists (a missing key has no line of its own)."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def report(self, path: Path, message: str) -> None:
        """A problem at this path, with the line where a person finds it."""
        self.problems.append(Problem(self.file, self.line_of(path), show_path(path), message))
        self.places |= {path[:length] for length in range(len(path) + 1)}

    def is_well(self, path: Path) -> bool:
        """No problem was found there or below."""
        return path not in self.places


def show_path(path: Path) -> str:
    """``('steps', 2, 'fault')`` as ``steps[2].fault``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def load_yaml(text: str, file: str) -> Located:
    """Parse one YAML document. Syntax errors and repeated keys become problems, never exceptions."""
    document = Located(file, None)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        document.problems.append(Problem(file, mark.line + 1 if mark else 1, "", f"not YAML: {error.problem}"))
        return document
    if root is not None:
        document.value = _convert(root, (), document)
    return document


def _convert(node: yaml.Node, path: Path, document: Located) -> Any:
    document.lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [_convert(item, (*path, index), document) for index, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _convert_mapping(node, path, document)
    loader = yaml.SafeLoader("")
    return loader.construct_object(node)


def _convert_mapping(node: yaml.MappingNode, path: Path, document: Located) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        here = (*path, key)
        value = _convert(value_node, here, document)
        document.lines[here] = key_node.start_mark.line + 1
        if key in result:
            document.report(here, "written twice")
        result[key] = value
    return result
