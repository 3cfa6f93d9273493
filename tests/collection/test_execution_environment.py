"""The definition of the execution environment is one that ansible-builder takes. The image itself is not built here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import yaml

from tests.collection.conftest import ROOT, TOOLS, Site


def test_ansible_builder_takes_it(site: Site, tarball: Path, tmp_path: Path) -> None:
    for file in ROOT.glob("execution-environment*.yml"):
        shutil.copy2(file, tmp_path)
    (tmp_path / "build" / "collection").mkdir(parents=True)
    shutil.copy2(tarball, tmp_path / "build" / "collection")
    done = subprocess.run([str(TOOLS / "ansible-builder"), "create", "-f", "execution-environment.yml", "-c", "context",
                           "--output-filename", "Containerfile"],
                          cwd=tmp_path, env=site.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    wanted = yaml.safe_load((tmp_path / "context" / "_build" / "requirements.yml").read_text())["collections"]
    assert wanted == [{"name": f"/collection/{tarball.name}", "type": "file"}]
    assert (tmp_path / "context" / "_build" / "collection" / tarball.name).is_file()
    steps = (tmp_path / "context" / "Containerfile").read_text()
    assert steps.index("COPY _build/collection /collection") < steps.index("ansible-galaxy collection install")


def test_it_has_the_versions_of_the_checkout() -> None:
    pinned = set((ROOT / "requirements.txt").read_text().splitlines())
    dependencies = yaml.safe_load((ROOT / "execution-environment.yml").read_text())["dependencies"]
    assert {dependencies[part]["package_pip"] for part in ("ansible_core", "ansible_runner")} <= pinned
