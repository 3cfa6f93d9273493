"""Unit tests of the lab run in a closed environment, with folders of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.lab.folder import Folder, Record
from holdfast.lab.image.store import Image
from holdfast.lab.topology import Topology, load_topology
from tests.closed_environment import Tools


@pytest.fixture(autouse=True)
def closed(tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No program, no folder of the user, no setting of the caller."""
    monkeypatch.setenv("HOLDFAST_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("HOLDFAST_CACHE", str(tmp_path / "cache"))
    for name in ("HOLDFAST_LAB", "HOLDFAST_DEBIAN_MIRROR", "HOLDFAST_SLOWNESS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def topology() -> Topology:
    return load_topology("default")


@pytest.fixture
def image(tmp_path: Path) -> Image:
    directory = tmp_path / "image"
    directory.mkdir()
    (directory / "manifest.json").write_text('{"kernel": "7.2um1"}\n')
    return Image(directory)


@pytest.fixture
def folder(topology: Topology, image: Image) -> Folder:
    """The folder of the lab "lab", made and never started."""
    folder = Folder.of("lab")
    folder.path.mkdir(parents=True)
    folder.write(Record("lab", "uml", topology, image))
    return folder
