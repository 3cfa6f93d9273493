"""Playbooks work from a checkout and from an installed collection, which is nobody's place to write to."""

from __future__ import annotations

import re
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


@pytest.mark.parametrize(("given", "expected"), [({}, "evidence"), ({"validate_site_directory": "here"}, "here")])
def test_the_report_of_the_site_goes_where_the_user_is(
    given: dict[str, str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plays = yaml.safe_load((PLAYBOOKS / "validate_site.yml").read_text())
    (stem,) = [play["vars"]["validate_site_stem"] for play in plays if "validate_site_stem" in play.get("vars", {})]
    templar = Templar(DataLoader(), variables=given)
    assert templar.template(trust_as_template(stem)) == f"{tmp_path}/{expected}/validation"
