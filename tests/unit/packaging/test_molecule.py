"""Scenarios do what their sequence says: molecule leaves out a step whose file is not there, and goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
SCENARIOS = sorted(path.parent for path in ROOT.glob("molecule/*/molecule.yml"))
SHARED = yaml.safe_load((ROOT / ".config/molecule/config.yml").read_text())


def read(scenario: Path) -> dict[str, Any]:
    return yaml.safe_load((scenario / "molecule.yml").read_text())


def sequence(scenario: Path) -> list[str]:
    return read(scenario)["scenario"].get("test_sequence", SHARED["scenario"]["test_sequence"])


def playbook(scenario: Path, step: str) -> Path:
    """The playbook that a step without words of its own would run; molecule looks for it even where there are words."""
    own = read(scenario).get("ansible", {}).get("playbooks", {})
    name = {"idempotence": "converge", "check": "converge"}.get(step, step)
    return scenario / {**SHARED["ansible"]["playbooks"], **own}[name]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.name)
def test_no_step_is_left_out_for_a_missing_file(scenario: Path) -> None:
    for step, *words in map(str.split, sequence(scenario)):
        # A scenario that stands on nothing has nothing to prepare.
        if step not in ("verify", "prepare"):
            assert playbook(scenario, step).is_file(), (step, words)
        assert [word for word in words if not (scenario / word).exists()] == []


def test_every_role_has_its_line_in_a_scenario() -> None:
    table = [line for line in (ROOT / "molecule/README.md").read_text().splitlines() if line.startswith("| `")]
    named = {word.strip("`,|;") for line in table for word in line.split("|", 2)[2].split()}
    roles = {path.parents[1].name for path in ROOT.glob("roles/*/tasks/main.yml")}
    assert roles - named == set()


@pytest.mark.parametrize("scenario", [path for path in SCENARIOS if path.name != "default"], ids=lambda path: path.name)
def test_default_and_changed_inputs_and_the_removal_are_verified(scenario: Path) -> None:
    steps = sequence(scenario)
    verified = [Path(step.split()[1]).name for step in steps if step.startswith("verify ")]
    assert verified[-3:] == ["default", "changed", "removed"]
    assert steps.index("idempotence") < steps.index(next(step for step in steps if step.endswith("tests/default")))
