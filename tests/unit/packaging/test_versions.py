"""One version in all the places that name it, and pins that agree."""

from __future__ import annotations

import tomllib
from pathlib import Path

import yaml
from holdfast_agent.agent_version import VERSION

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text().splitlines()
    return dict(line.lower().split("==") for line in lines if line and not line.startswith("#"))


def test_one_version() -> None:
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text())
    assert {galaxy["version"], PROJECT["version"], VERSION} == {VERSION}


def test_every_requirement_is_pinned_once() -> None:
    runtime, test = pins("requirements.txt"), pins("requirements-test.txt")
    assert all(runtime.values())
    assert all(test.values())
    assert set(runtime) & set(test) == set()


def test_the_project_asks_for_what_is_pinned() -> None:
    wanted = dict(line.lower().split("==") for line in PROJECT["dependencies"])
    assert wanted.items() <= pins("requirements.txt").items()


def test_the_oldest_ansible_is_that_of_the_pin() -> None:
    asked = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["requires_ansible"]
    pinned = pins("requirements.txt")["ansible-core"]
    assert asked == f">={'.'.join(pinned.split('.')[:2])}.0"
    assert (ROOT / "tests" / "sanity" / f"ignore-{'.'.join(pinned.split('.')[:2])}.txt").exists()
