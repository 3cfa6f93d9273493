"""All generated pages: written by `docs reference`, compared with what is committed by `docs reference --check`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from holdfast.docs.reference.agent import render_agent
from holdfast.docs.reference.command_line import render_command_line
from holdfast.docs.reference.definitions import render_definitions
from holdfast.docs.reference.drawings import restyle
from holdfast.docs.reference.event_log import render_event_log
from holdfast.docs.reference.modules import render_modules, render_plugins
from holdfast.docs.reference.playbooks import render_playbooks
from holdfast.docs.reference.roles import render_roles
from holdfast.docs.reference.runbooks import render_runbooks
from holdfast.docs.reference.timers import render_timers
from holdfast.drill.runbook.reference import render_reference

PAGES: Mapping[str, Callable[[Path], str]] = {
    "docs/reference/agent.md": render_agent,
    "docs/reference/command_line.md": render_command_line,
    "docs/reference/definitions.md": render_definitions,
    "docs/reference/event_log.md": render_event_log,
    "docs/reference/modules.md": render_modules,
    "docs/reference/playbooks.md": render_playbooks,
    "docs/reference/plugins.md": render_plugins,
    "docs/reference/roles.md": render_roles,
    "docs/reference/runbooks.md": render_runbooks,
    "docs/reference/timers.md": render_timers,
    "docs/runbook_schema.md": lambda root: render_reference(),
}


def expected_texts(root: Path) -> dict[Path, str]:
    """Every generated file with the text that it must have."""
    pages = {root / name: render(root) for name, render in PAGES.items()}
    drawings = {path: restyle(path.read_text(encoding="utf-8")) for path in sorted((root / "docs/drawings").glob("*.svg"))}
    return {**pages, **drawings}


def stale_files(root: Path) -> list[Path]:
    """Those whose committed text is another."""
    return [path for path, text in expected_texts(root).items() if not path.exists() or path.read_text(encoding="utf-8") != text]


def write_files(root: Path) -> list[Path]:
    """Write what is stale; returns what was written."""
    texts = expected_texts(root)
    written = [path for path, text in texts.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in written:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts[path], encoding="utf-8")
    return written
