"""The collection built from this checkout and installed, offline, into an empty place: what a user of the tarball has."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent


@dataclass(frozen=True)
class Site:
    """A folder of a user's own, beside which the collection is installed; nothing of the checkout is in reach."""

    folder: Path
    collections: Path

    def run(self, tool: str, *words: str) -> str:
        """Standard output of one of Ansible's tools, called there."""
        done = subprocess.run([str(TOOLS / tool), *words], cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def environment(self) -> dict[str, str]:
        path = f"{TOOLS}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.folder), "LC_ALL": "C.UTF-8", "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
                "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_NOCOLOR": "1"}


@pytest.fixture(scope="session")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("built")
    subprocess.run([str(TOOLS / "ansible-galaxy"), "collection", "build", "--output-path", str(place)], cwd=ROOT, check=True,
                   env={**os.environ, "LC_ALL": "C.UTF-8"}, capture_output=True)
    return next(place.glob("*.tar.gz"))


@pytest.fixture(scope="session")
def content(tarball: Path) -> dict[str, bytes]:
    """Every file of the tarball."""
    with tarfile.open(tarball) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}  # type: ignore[union-attr]


@pytest.fixture(scope="session")
def site(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    place = tmp_path_factory.mktemp("site")
    site = Site(place / "own", place / "collections")
    site.folder.mkdir()
    site.run("ansible-galaxy", "collection", "install", "--offline", "--collections-path", str(site.collections), str(tarball))
    return site
