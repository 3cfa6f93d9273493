"""The site: every page has its place, drawings take the page's colours, nothing is loaded from elsewhere."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from holdfast_agent.core.timers import FAST

from holdfast.docs.build import STYLE_FILE, breakable_names, finish_page, inline_drawings, write_drawing_style
from holdfast.docs.reference.drawings import restyle, without_style
from holdfast.docs.site.navigation import SECTIONS, arrange, toctrees
from holdfast.lab.errors import LabError

ROOT = Path(__file__).parents[3]
DRAWINGS = sorted((ROOT / "docs/drawings").glob("*.svg"))
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><title>t</title><style>x</style><rect/></svg>'


def test_every_page_has_its_place_once() -> None:
    pages = [str(path.relative_to(ROOT / "docs").with_suffix("")) for path in (ROOT / "docs").rglob("*.md")]
    placed = [page for _, names in arrange(pages) for page in names]
    assert sorted([*placed, "index"]) == sorted(pages)


def test_every_named_page_exists() -> None:
    named = [f"{folder}/{name}" if folder else name for _, folder, names in SECTIONS for name in names]
    assert [name for name in named if not (ROOT / "docs" / f"{name}.md").exists()] == []


def test_a_page_that_nobody_named_is_not_lost() -> None:
    placed = arrange(["index", "lab", "howto/new", "strange"])
    assert placed == [("Start", ["lab"]), ("How to", ["howto/new"]), ("More", ["strange"])]
    assert "strange" not in toctrees(ROOT / "docs")


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.stem)
def test_drawings_are_well_formed_titled_styled_and_used(path: Path) -> None:
    root = ET.fromstring(path.read_text())
    assert root.find("{*}title") is not None
    assert root.get("viewBox")
    assert restyle(path.read_text()) == path.read_text()
    known = set(re.findall(r"\.([a-z-]+)(?= \{)", STYLE_FILE.read_text()))
    used = {word for element in root.iter() for word in element.get("class", "").split()}
    assert used <= known
    assert any(f"drawings/{path.name}" in page.read_text() for page in (ROOT / "docs").rglob("*.md"))


def test_the_takeover_is_drawn_with_the_timers_of_today() -> None:
    text = (ROOT / "docs/drawings/takeover.svg").read_text()
    assert f"register at {FAST.suspect:g} s" in text
    assert f"strike at {FAST.suspect + FAST.wait:g} s" in text
    assert f"after {FAST.takeover:g} s at worst" in text
    assert f"waits W = {FAST.wait:g} s" in text
    assert f"{FAST.silence:g} s: may strike" in text


def test_a_drawing_becomes_part_of_the_page(tmp_path: Path) -> None:
    (tmp_path / "x.svg").write_text(SVG)
    page = inline_drawings('<p><img alt="A &amp; B" src="../_images/x.svg"/> <img src="../_images/y.png"/></p>', tmp_path)
    assert '<svg class="drawing" role="img" aria-label="A &amp; B" xmlns=' in page
    assert "<style>" not in page
    assert "y.png" in page
    assert without_style(SVG).count("style") == 0


def test_names_may_break_at_their_joints() -> None:
    assert breakable_names('<span class="pre">a_b.c</span> x_y') == '<span class="pre">a_<wbr/>b.<wbr/>c</span> x_y'


@pytest.mark.parametrize("tag", [
    '<script src="https://cdn.example/x.js"></script>', '<link rel="stylesheet" href="http://fonts.example/f.css"/>',
    '<img src="https://example/x.png"/>'])
def test_a_page_that_loads_from_the_network_is_refused(tmp_path: Path, tag: str) -> None:
    page = tmp_path / "p.html"
    page.write_text(f"<html>{tag}</html>")
    with pytest.raises(LabError, match="loads something from the network"):
        finish_page(page, tmp_path)


def test_a_link_to_follow_is_no_load(tmp_path: Path) -> None:
    page = tmp_path / "p.html"
    page.write_text('<a href="https://example.org">x</a>')
    finish_page(page, tmp_path)


def test_tools_of_one_environment_have_one_version() -> None:
    pins = [dict(line.split("==") for line in (ROOT / name).read_text().splitlines() if "==" in line)
            for name in ("requirements.txt", "requirements-test.txt", "requirements-docs.txt")]  # fmt: skip
    both = [(name, pin) for name, pin in pins[2].items() for other in pins[:2] if other.get(name, pin) != pin]
    assert both == []


def test_drawings_of_the_site_follow_the_readers_choice(tmp_path: Path) -> None:
    write_drawing_style(tmp_path / "style")
    style = (tmp_path / "style/drawings.css").read_text()
    assert "body[data-theme=dark] .drawing {" in style
    assert "body:not([data-theme=light]) .drawing {" in style
    rules = [line.split("{")[0] for line in style.splitlines() if re.match(r"\s*(text|\.[a-z])", line)]
    assert [rule for rule in rules if ".drawing" not in rule] == []
    assert ".drawing .box-green" in style
