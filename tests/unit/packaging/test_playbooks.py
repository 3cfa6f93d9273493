"""Playbooks work from a checkout and from an installed collection, which is nobody's place to write to."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

PLAYBOOKS = Path(__file__).parents[3] / "playbooks"


@pytest.mark.parametrize("path", sorted(PLAYBOOKS.glob("*.yml")), ids=lambda path: path.stem)
def test_nothing_is_written_beside_the_playbook(path: Path) -> None:
    """The folder of a playbook may be named to find the checkout's programs, and for nothing else."""
    uses = [line.strip() for line in path.read_text().splitlines() if "playbook_dir" in line]
    assert [line for line in uses if not re.match(r"drill_project: ", line)] == []


@pytest.mark.parametrize(("settings", "works"), [({"ANSIBLE_CONFIG": str(PLAYBOOKS.parent / "ansible.cfg")}, True), ({}, False)])
def test_from_another_folder_the_settings_of_the_checkout_have_to_be_named(
    settings: dict[str, str], works: bool, tmp_path: Path
) -> None:
    """As the troubleshooting page says."""
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    inventory, playbook = PLAYBOOKS.parent / "inventories/example", PLAYBOOKS / "resolve_site.yml"
    done = subprocess.run(["ansible-playbook", "-i", str(inventory), "--syntax-check", str(playbook)],
                          cwd=tmp_path, env={**environment, **settings}, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is works, done.stderr
    assert ("couldn't resolve module/action 'holdfast.cluster." in done.stderr) is not works


@pytest.mark.parametrize(("given", "expected"), [({}, "evidence"), ({"validate_site_directory": "here"}, "here")])
def test_the_report_of_the_site_goes_where_the_user_is(
    given: dict[str, str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plays = yaml.safe_load((PLAYBOOKS / "validate_site.yml").read_text())
    (stem,) = [play["vars"]["validate_site_stem"] for play in plays if "validate_site_stem" in play.get("vars", {})]
    templar = Templar(DataLoader(), variables=given)
    assert templar.template(trust_as_template(stem)) == f"{tmp_path}/{expected}/validation"
