"""docs/reference/command_line.md: `holdfast` and `holdfastctl`, from their parsers."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from holdfast_agent.control.__main__ import build_parser as build_holdfastctl

from holdfast.docs.reference.markdown import code, page, table

_ABOUT = """`./holdfast` runs on the controller, from the checkout; its first call makes the Python environment. `holdfastctl`
runs on a node as root and asks that node's agent. Both have `--help` at every level."""
_CODES = """## Exit codes

| Command | 0 | 1 | 2 |
| --- | --- | --- | --- |
| `holdfast drill run`, `report` | PASS | FAIL | UNKNOWN, refused, or wrong usage |
| `holdfast demo` | both drills passed | one failed | one could not be judged |
| `holdfast test` | all passed | something failed | wrong usage |
| `holdfast lab …` | done | it did not work | wrong request; 130 interrupted |
| `holdfastctl …` | done | refused or failed, with the reason; or no agent | wrong usage |"""


def render_command_line(root: Path) -> str:
    """The whole page."""
    from holdfast.cli import build_parser  # that module knows this one

    parts = [part for parser in (build_parser(), build_holdfastctl()) for part in _program(parser, root)]
    return page("Commands", "the programs' own parsers", _ABOUT, *parts, _CODES)


def commands(parser: argparse.ArgumentParser) -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """Every command that can be given, with its one line."""
    yield from _commands(parser, parser.description or "")


def _commands(parser: argparse.ArgumentParser, words: str) -> Iterator[tuple[argparse.ArgumentParser, str]]:
    inner = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not inner:
        yield parser, words
    for group in inner:
        helps = {choice.dest: choice.help or "" for choice in group._choices_actions}
        for name, child in group.choices.items():
            yield from _commands(child, helps.get(name) or child.description or "")


def _program(parser: argparse.ArgumentParser, root: Path) -> Iterator[str]:
    yield f"## {parser.prog}"
    yield parser.description or ""
    for command, words in commands(parser):
        yield f"### {command.prog}"
        yield f"{words[:1].upper()}{words[1:].rstrip('.')}."
        rows = [_row(action, root) for action in command._actions if not isinstance(action, argparse._HelpAction)]
        yield table(("Argument", "Default", "Meaning"), rows) if rows else ""


def _row(action: argparse.Action, root: Path) -> tuple[str, str, str]:
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.option_strings:
        value = "" if action.nargs == 0 else f" {metavar}"
        name = f"{', '.join(action.option_strings)}{value}"
    else:
        name = metavar if action.metavar else action.dest
    # A help text that names the default is trusted: the value itself may come from the environment of this very call.
    told = action.nargs == 0 or "(default" in (action.help or "") or action.default in (None, argparse.SUPPRESS, [])
    default = "" if told else action.default
    choices = f" One of {', '.join(map(str, action.choices))}." if action.choices else ""
    meaning = f"{(action.help or '').rstrip('.')}.{choices}".lstrip(".").strip()
    return code(name), code(str(default).replace(f"{root}/", "")), meaning
