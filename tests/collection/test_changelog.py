"""The changelog's fragments are well-formed, and a release of the current version could be made from them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.collection.conftest import ROOT, TOOLS, Site

PARTS = ("changelogs", "galaxy.yml", "CHANGELOG.md", "plugins", "roles", "playbooks", "meta")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, tmp_path / part)
    return tmp_path


def run(site: Site, folder: Path, *words: str) -> None:
    done = subprocess.run([str(TOOLS / "antsibull-changelog"), *words], cwd=folder, env=site.environment(), check=False,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_fragments_are_well_formed(site: Site, copy: Path) -> None:
    run(site, copy, "lint")


def test_a_release_takes_every_fragment(site: Site, copy: Path) -> None:
    """A version that was released has no fragments of its own; its entry in changelog.yaml is what counts."""
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    fragments = {path.name for path in (copy / "changelogs" / "fragments").glob("*.yml")}
    released = copy / "changelogs" / "changelog.yaml"
    assert fragments or version in yaml.safe_load(released.read_text())["releases"]
    if fragments:
        run(site, copy, "release", "--version", version, "--date", "2026-01-01")
        assert set(yaml.safe_load(released.read_text())["releases"][version]["fragments"]) == fragments
        assert not list((copy / "changelogs" / "fragments").glob("*.yml"))


def test_the_page_is_that_of_the_releases(site: Site, copy: Path) -> None:
    """Before the first release it only says where the fragments are."""
    if not (copy / "changelogs" / "changelog.yaml").exists():
        assert "Nothing is released yet" in (ROOT / "CHANGELOG.md").read_text()
        return
    run(site, copy, "generate")
    assert (copy / "CHANGELOG.md").read_text() == (ROOT / "CHANGELOG.md").read_text()
