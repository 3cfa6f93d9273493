"""Commands, playbooks, drills and messages that a page names exist, with these very options."""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible.cli.adhoc import AdHocCLI
from ansible.cli.galaxy import GalaxyCLI
from ansible.cli.playbook import PlaybookCLI
from ansible.cli.vault import VaultCLI
from holdfast_agent.control.__main__ import build_parser as build_holdfastctl
from holdfast_agent.control.__main__ import parse_request

from holdfast.cli import build_parser
from holdfast.docs.reference.playbooks import told_variables

ROOT = Path(__file__).parents[3]
WRITTEN = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "molecule/README.md", *ROOT.glob("roles/*/README.md")]
PAGES = [path for path in sorted(WRITTEN) if "reference" not in path.parts]
ANSIBLE = {"ansible": AdHocCLI, "ansible-playbook": PlaybookCLI, "ansible-vault": VaultCLI}
PROGRAMS = ("agent/**/*.py", "plugins/**/*.py", "src/**/*.py", "roles/**/*.yml", "playbooks/**/*.yml")
SOURCES = [path.read_text() for pattern in PROGRAMS for path in ROOT.glob(pattern)] + [(ROOT / "holdfast").read_text()]
ROLE_OPTIONS = set(re.findall(r"(?m)^([a-z_]+):", "".join(p.read_text() for p in ROOT.glob("roles/*/defaults/main.yml"))))


def code(path: Path) -> Iterator[str]:
    """Lines of blocks, also of those that are set in, and inline code, without comments behind them."""
    text = path.read_text()
    for language, block in re.findall(r"(?ms)^\s*```(\w*)\n(.*?)^\s*```", text):
        if language in ("", "sh", "bash", "text"):
            yield from (re.sub(r"\s+#.*|\s{2,}\S.*", "", line.strip()) for line in block.splitlines())
    yield from (re.sub(r"\s+#.*", "", line).strip() for line in re.findall(r"(?m)^ {4}(\S.*)$", text))
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"(?ms)^\s*```.*?^\s*```", "", text))


def commands(*programs: str) -> list[tuple[str, str]]:
    """Page and command for every complete command of these programs; `NAME` and `…` are what a reader replaces."""
    found = []
    for path in PAGES:
        for line in code(path):
            first = line.split(" ", 1)[0]
            if first in programs and " " in line and "…" not in line and "VERB" not in line:
                found.append((str(path.relative_to(ROOT)), line))
    return sorted(set(found))


def is_accepted(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """Parse, with what the parser has to say as the failure's message."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            return parser.parse_args(words)
    except SystemExit as end:
        assert end.code == 0, said.getvalue()
        return argparse.Namespace(verb="help")


def test_every_way_of_writing_a_command_is_read(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("1. Do:\n\n   ```\n   a --b   # why\n   ```\n\n```yaml\nc: d\n```\n\n    e --f   # why\n\nSay `g h`.\n")
    assert list(code(page)) == ["a --b", "e --f", "g h"]


@pytest.mark.parametrize(("page", "command"), commands("./holdfast", "holdfast"))
def test_holdfast_takes_every_command(page: str, command: str) -> None:
    words = [word.replace("NUMBER", "1") for word in shlex.split(command)[1:]]
    is_accepted(build_parser(), words)


@pytest.mark.parametrize(("page", "command"), commands("holdfastctl"))
def test_holdfastctl_takes_every_command(page: str, command: str) -> None:
    words = shlex.split(command)[1:]
    if words[-1] in ("maintenance", "start", "stop", "move", "detach", "attach", "failback", "forget-failures", "rejoin"):
        words.append("erp")
    options = is_accepted(build_holdfastctl(), words)
    if options.verb == "maintenance":
        parse_request(options)


@pytest.mark.parametrize(("page", "command"), commands(*ANSIBLE))
def test_ansible_takes_every_command_and_finds_what_it_names(page: str, command: str) -> None:
    """`mysite` is the copy that a reader makes of `example`."""
    program, *words = shlex.split(command)
    cli = ANSIBLE[program]([program, *words])
    cli.init_parser()
    given = is_accepted(cli.parser, words)
    named = [*(getattr(given, "inventory", None) or []), *(getattr(given, "args", None) or [] if program != "ansible" else [])]
    assert named, "no inventory, no playbook and no file"
    named = [re.sub(r"^holdfast\.cluster\.(\w+)$", r"playbooks/\1.yml", name) for name in named]
    missing = [name for name in named if not (ROOT / name.replace("mysite", "example")).exists()]
    assert [name for name in missing if not (ROOT / f"{name.replace('mysite', 'example')}.example").exists()] == []


@pytest.mark.parametrize(("page", "command"), commands("ansible-galaxy"))
def test_the_collection_that_is_named_is_this_version(page: str, command: str) -> None:
    cli = GalaxyCLI(shlex.split(command))
    cli.init_parser()
    given = is_accepted(cli.parser, shlex.split(command)[1:])
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    assert [name for name in given.args if name not in (".", f"build/collection/holdfast-cluster-{version}.tar.gz")] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_playbooks_and_their_variables_exist(path: Path) -> None:
    text = path.read_text()
    known = {playbook.stem for playbook in ROOT.glob("playbooks/*.yml")}
    assert [name for name in re.findall(r"playbooks/(\w+)\.yml", text) if name not in known] == []
    for playbook, words in re.findall(r"(?:playbooks/|`)(\w+)\.yml([^`\n]*)", text):
        for variable in re.findall(r"-e '?\{?\"?([a-z_]+)", words) if playbook in known else ():
            assert variable in told_variables().get(playbook, {}) or variable in ROLE_OPTIONS, f"{playbook}: {variable}"


@pytest.mark.parametrize("name", ["howto/recover", "howto/run_drills", "howto/patch_nodes", "drills"])
def test_drills_that_are_named_exist(name: str) -> None:
    known = {path.stem for path in ROOT.glob("runbooks/*.yml")}
    text = (ROOT / "docs" / f"{name}.md").read_text()
    named = re.findall(r"drill (?:run|explain) ([a-z_]+)", text) + re.findall(r"drill `([a-z_]+)`", text)
    if name == "howto/recover":
        rows = [row.split("|") for row in text.splitlines() if row.startswith("| ") and row.count("|") == 5]
        named += [word for row in rows for word in re.findall(r"`([a-z_]+)`", row[4])]
    assert named
    assert [word for word in named if word not in known] == []


def test_every_drill_of_the_catalogue_has_a_row_somewhere() -> None:
    text = (ROOT / "docs/howto/recover.md").read_text() + (ROOT / "docs/drills.md").read_text()
    assert [path.stem for path in sorted(ROOT.glob("runbooks/*.yml")) if path.stem not in text] == []


def test_every_failure_that_is_rehearsed_can_be_looked_up_in_the_recovery_page() -> None:
    text = (ROOT / "docs/howto/recover.md").read_text()
    failures = [path.stem for path in sorted(ROOT.glob("runbooks/*.yml")) if "category: planned" not in path.read_text()]
    assert len(failures) > 40
    assert [name for name in failures if f"`{name}`" not in text] == []


def quoted_messages() -> list[str]:
    """First cells of the tables whose first column quotes what a program says."""
    found, quoting = [], False
    for row in (ROOT / "docs/troubleshooting.md").read_text().splitlines():
        cells = row.split("|")
        if row.startswith("| ---") or len(cells) < 4:
            continue
        if not row.startswith("| `"):
            quoting = any(word in cells[1] for word in ("You see", "says", "Message", "Event"))
        elif quoting:
            said = re.findall(r"`([^`]+)`", cells[1])
            found += [message for message in said if message.count(" ") > 1 and "holdfastctl" not in message]
    return found


@pytest.mark.parametrize("message", quoted_messages())
def test_quoted_messages_are_said_by_the_code(message: str) -> None:
    """All fixed parts in one source file, in which values are braces and a long sentence may be folded."""
    parts = [re.escape(part.strip(" ().")) for part in message.split("…") if part.strip(" ().;:,")]
    parts = [re.sub(r"\\ ", r"[\\s\"f'}]+", part) for part in parts]
    assert any(all(re.search(part, text) for part in parts) for text in SOURCES), message
