"""The generated pages are current and complete."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest
import yaml
from holdfast_agent.control.__main__ import build_parser as build_holdfastctl

from holdfast.cli import build_parser
from holdfast.docs.reference.command_line import commands
from holdfast.docs.reference.event_log import find_events
from holdfast.docs.reference.markdown import from_ansible, page, sentences, table
from holdfast.docs.reference.meanings import explained
from holdfast.docs.reference.options import option_table
from holdfast.docs.reference.pages import PAGES, stale_files
from holdfast.docs.reference.playbooks import told_variables
from holdfast.lab.errors import LabError

ROOT = Path(__file__).parents[3]


def text(name: str) -> str:
    return (ROOT / "docs" / "reference" / f"{name}.md").read_text()


def test_committed_pages_say_what_the_code_says() -> None:
    assert [str(path.relative_to(ROOT)) for path in stale_files(ROOT)] == []


def test_every_page_of_the_folder_is_generated() -> None:
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "docs/reference").iterdir()} <= set(PAGES)


@pytest.mark.parametrize(("pattern", "name", "heading"), [
    ("playbooks/*.yml", "playbooks", "## {}"), ("plugins/modules/*.py", "modules", "## {}"),
    ("roles/*/meta/argument_specs.yml", "roles", "## {}"), ("runbooks/*.yml", "runbooks", "| `{}` |")])
def test_everything_is_mentioned(pattern: str, name: str, heading: str) -> None:
    paths = sorted(ROOT.glob(pattern))
    names = [path.parents[1].name if path.name == "argument_specs.yml" else path.stem for path in paths]
    assert names
    assert [each for each in names if heading.format(each) not in text(name)] == []


@pytest.mark.parametrize("playbook", told_variables())
def test_variables_that_are_told_are_read(playbook: str) -> None:
    sources = (ROOT / "playbooks" / f"{playbook}.yml").read_text()
    sources += "".join(path.read_text() for path in (ROOT / "playbooks/tasks").glob("*.yml"))
    sources += "".join(path.read_text() for path in (ROOT / "roles").glob("*/defaults/main.yml"))
    assert [name for name in told_variables()[playbook] if not re.search(rf"\b{name}\b", sources)] == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("playbooks/*.yml")), ids=lambda path: path.stem)
def test_variables_that_a_playbook_names_at_its_head_are_told(path: Path) -> None:
    head = "\n".join(line for line in path.read_text().splitlines() if line.startswith("#"))
    named = re.findall(r"-e '?\{?\"?([a-z_]+)", head)
    assert [name for name in named if name not in told_variables().get(path.stem, {})] == []


def test_events_are_found_in_all_ways_of_writing_them() -> None:
    events = find_events(ROOT)
    assert {"state", "agent started", "watchdog fed again", "address up", "memory not locked"} <= set(events)
    assert events["agent started"].keys >= {"version", "key", "profile"}


@pytest.mark.parametrize("path", sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_table_or_list_was_folded_into_a_paragraph(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert [line for line in lines if re.search(r"\S\s*\| --- \|", line) and not line.startswith("|")] == []
    assert [line for line in lines if re.search(r"\| \| ---|\w\. - \*\*", line)] == []


def test_a_name_without_words_and_words_without_a_name_are_refused() -> None:
    assert explained(["a"], {"a": "words"}, "X") == [("a", "words")]
    with pytest.raises(LabError, match=r"no words for b; words without a name: c"):
        explained(["a", "b"], {"a": "words", "c": "left"}, "X")


def test_options_are_told_with_what_is_inside_them() -> None:
    spec = yaml.safe_load("""
        ports: {type: list, elements: dict, required: true, description: All ports., options: {number: {type: int, default: 5,
          description: Its number., minimum: 1}}}
        mode: {type: str, choices: [a, b], description: [C(a) or, V(b).]}
    """)
    lines = option_table(spec).splitlines()[2:]
    assert lines == ["| `ports` | list of dict | **required** | All ports. |",
                     "| `ports[].number` | int | `5` | Its number. At least 1. |",
                     "| `mode` | str |  | `a` or `b`. One of `a`, `b`. |"]
    assert option_table({}) == "No options."


PROGRAMS = (build_parser(), build_holdfastctl())


@pytest.mark.parametrize("command", [command for program in PROGRAMS for command, _ in commands(program)],
                         ids=lambda command: command.prog)
def test_help_fits_a_terminal_and_says_what_every_option_is_for(command: argparse.ArgumentParser,
                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert max(len(line) for line in command.format_help().splitlines()) <= 80
    assert [action.option_strings for action in command._actions if action.option_strings and not action.help] == []


@pytest.mark.parametrize("command", [command for command, _ in commands(PROGRAMS[0])], ids=lambda command: command.prog)
def test_help_of_holdfast_begins_with_what_it_does_and_leaves_no_argument_unexplained(command: argparse.ArgumentParser) -> None:
    assert command.description
    assert [action.dest for action in command._actions if not action.help] == []
    assert [action.help for action in command._actions if "(default " in str(action.help)] == [], "written (default: value)"


def test_pieces_of_markdown() -> None:
    assert from_ansible("Option O(name) of M(package), I(not) a B(word).") == "Option `name` of `package`, *not* a *word*."
    assert sentences(["One.", "V(two)."]) == "One. `two`."
    assert table(("A",), [("x|y\nz",)]).splitlines()[-1] == "| x\\|y z |"
    assert page("T", "here", "part", "").endswith("from here.\n\npart\n")
