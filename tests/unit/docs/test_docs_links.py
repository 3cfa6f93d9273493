"""Every link of the Markdown leads somewhere, to its heading as well; read as it is, without the built site."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *ROOT.glob("roles/*/README.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def prose(text: str) -> str:
    """The text without blocks of code and without inline code, in which brackets are no links."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"(?ms)^\s*```.*?^\s*```", "", text))


def slug(heading: str) -> str:
    """The anchor that GitHub and MyST make of a heading."""
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    text = re.sub(r"(?ms)^\s*```.*?^\s*```", "", path.read_text())
    return {slug(heading) for heading in re.findall(r"(?m)^#{1,6} (.+)$", text)}


def problems(path: Path) -> list[str]:
    found = []
    for target in LINK.findall(prose(path.read_text())):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        if not file.exists():
            found.append(f"{target}: no such file")
        elif anchor and file.suffix == ".md" and anchor not in anchors(file):
            found.append(f"{target}: no such heading")
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_resolve(path: Path) -> None:
    assert problems(path) == []


def test_a_broken_link_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text("# One\n[x](b.md) [y](#two) [z](#one) `[code](c.md)`\n")
    assert problems(page) == ["b.md: no such file", "#two: no such heading"]


@pytest.mark.parametrize(("heading", "anchor"), [
    ("What it does not do", "what-it-does-not-do"), ("`iscsi_target`, once more", "iscsi_target-once-more"),
    ("1. Bring the lab up", "1-bring-the-lab-up"), ("A stranger's reservation", "a-strangers-reservation")])
def test_anchors_of_headings(heading: str, anchor: str) -> None:
    assert slug(heading) == anchor
