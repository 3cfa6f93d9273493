"""The README and the one-page map say what is in the tree, and everything in the tree is on the map."""

from __future__ import annotations

import fnmatch
import re
import struct
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MAP = (ROOT / "docs/whats_here.md").read_text()
# Folders whose parts the map names one by one.
OPENED = ("", "src/holdfast", "plugins", "tests", "inventories")
LARGEST_KIB = 300


def parts(folder: str) -> list[str]:
    """Names in a folder of the checkout, without what git ignores and Python files beside the areas."""
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line and not line.startswith("#")]
    names = [path.name for path in (ROOT / folder).iterdir() if folder == "" or path.is_dir()]
    kept = [name for name in names if not any(fnmatch.fnmatch(name, pattern) for pattern in ignored)]
    return sorted(name for name in kept if name not in (".git", ".gitignore", "__pycache__", "unit", "integration"))


@pytest.mark.parametrize(("folder", "name"), [(folder, name) for folder in OPENED for name in parts(folder)])
def test_everything_is_on_the_map(folder: str, name: str) -> None:
    assert re.search(rf"[`/]{re.escape(name)}[`/]", MAP), f"{folder}/{name} has no place in docs/whats_here.md"


def test_everything_on_the_map_is_there() -> None:
    """Names in the first column; those without a folder are found somewhere below one that the map opens."""
    first = [row.split("|")[1] for row in MAP.splitlines() if row.startswith("| `")]
    named = [name for cell in first for name in re.findall(r"`([\w./-]+)`", cell)]
    assert len(named) > 40
    places = [ROOT, ROOT / "src/holdfast"]
    assert [name for name in named if not any((place / name).exists() for place in places)] == []


def test_every_role_has_its_layer() -> None:
    row = next(line for line in MAP.splitlines() if line.startswith("| `roles/`"))
    assert {path.name for path in (ROOT / "roles").iterdir()} == set(re.findall(r"`(\w+)`", row)) - {"holdfast_packages"}


def test_decisions_are_numbered_as_their_files_and_their_table() -> None:
    folder = ROOT / "docs/decisions"
    table = (folder / "README.md").read_text()
    for path in sorted(folder.glob("0*.md")):
        number, title = path.read_text().splitlines()[0].removeprefix("# ").split(". ", 1)
        assert number == str(int(path.name[:4]))
        listed = re.search(rf"\| \[{number}\]\({re.escape(path.name)}\) \| (.*) \|", table)
        assert listed and title.startswith(listed[1])


def test_the_readme_has_what_a_stranger_looks_for() -> None:
    text = (ROOT / "README.md").read_text()
    what = text.split("\n\n")[1].splitlines()
    assert len(what) == 5
    commands = re.findall(r"(?m)^    (\S.*?)(?:\s+#.*)?$", text)
    assert [line for line in commands if line.startswith("./holdfast ")][:2] == ["./holdfast demo", "./holdfast test"]
    site = text.split("## At a real site\n\n", 1)[1].split("\n\n", 1)[0].splitlines()
    assert len(site) == 10
    for word in ("inventories/example", "secrets.yml", "validate_site", "build_cluster", "deploy_packages", "drill run"):
        assert any(word in line for line in site), word
    assert "## What it does not do" in text


def test_the_picture_is_small() -> None:
    path = ROOT / "docs/pictures/report.png"
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:24])
    assert 800 <= width <= 1600
    assert height <= width
    assert path.stat().st_size < LARGEST_KIB * 1024
