"""What is in the tarball, and that it does not depend on what lies about in the checkout."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
TOP = {"CHANGELOG.md", "FILES.json", "LICENSE", "MANIFEST.json", "README.md", "agent", "changelogs", "docs", "meta", "playbooks",
       "plugins", "roles", "tests"}
LARGEST_MIB = 8


def tracked(*folders: str) -> set[str]:
    """Files of the checkout in `folders` that git does not ignore; by an empty repository, because an archive has none."""
    with tempfile.TemporaryDirectory() as empty:
        subprocess.run(["git", "init", "--quiet", "--bare", empty], check=True)
        listed = subprocess.run(["git", f"--git-dir={empty}", f"--work-tree={ROOT}", "ls-files", "-o", "--exclude-standard", "--",
                                 *folders], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return set(listed.splitlines())


def test_only_the_collection_is_in_it(content: dict[str, bytes]) -> None:
    assert {name.split("/")[0] for name in content} <= TOP
    assert {name for name in content if name.startswith("tests/")} == tracked("tests/config.yml", "tests/sanity")
    assert not [name for name in content if "/." in name or "__pycache__" in name or name.endswith((".pyc", ".orig", ".retry"))]


def test_all_of_the_collection_is_in_it(content: dict[str, bytes]) -> None:
    folders = ("agent", "docs", "meta", "playbooks", "plugins", "roles")
    assert {name for name in content if name.split("/")[0] in folders} == tracked(*folders)


def test_the_manifest_is_that_of_galaxy_yml(content: dict[str, bytes], tarball: Path) -> None:
    said = json.loads(content["MANIFEST.json"])["collection_info"]
    wanted = yaml.safe_load((ROOT / "galaxy.yml").read_text())
    assert [said[key] for key in ("namespace", "name", "version")] == ["holdfast", "cluster", wanted["version"]]
    assert tarball.name == f"holdfast-cluster-{wanted['version']}.tar.gz"


def test_its_size(tarball: Path) -> None:
    assert tarball.stat().st_size < LARGEST_MIB * 1024 * 1024
