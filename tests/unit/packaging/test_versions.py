"""One version in all the places that name it, and pins that agree."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest
import yaml
from holdfast_agent.agent_version import VERSION
from packaging.specifiers import SpecifierSet

from holdfast import __version__

ROOT = Path(__file__).parents[3]
PYTHON_OF_DEBIAN_12 = "3.11.2"  # its own; a later 3.11 takes packages that this one refuses
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text().splitlines()
    return dict(line.lower().split("==") for line in lines if line and not line.startswith("#"))


def test_one_version() -> None:
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text())
    assert {galaxy["version"], PROJECT["version"], __version__, VERSION} == {VERSION}


def test_every_requirement_is_pinned_once() -> None:
    runtime, test = pins("requirements.txt"), pins("requirements-test.txt")
    assert all(runtime.values())
    assert all(test.values())
    assert set(runtime) & set(test) == set()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-test.txt", "requirements-docs.txt"])
def test_every_pin_is_for_debian_12_as_well(name: str) -> None:
    """By what the installed packages say; those of the documentation are there once its stage has run."""
    asked = {}
    for package, pin in pins(name).items():
        with suppress(PackageNotFoundError):
            if (found := metadata(package)).get("Version") == pin:
                asked[package] = SpecifierSet(found.get("Requires-Python") or "")
    assert set(asked) == set(pins(name)) or name == "requirements-docs.txt"
    assert [package for package, pythons in asked.items() if PYTHON_OF_DEBIAN_12 not in pythons] == []


def test_the_project_asks_for_what_is_pinned() -> None:
    wanted = dict(line.lower().split("==") for line in PROJECT["dependencies"])
    assert wanted.items() <= pins("requirements.txt").items()


def test_the_oldest_ansible_is_that_of_the_pin() -> None:
    asked = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["requires_ansible"]
    pinned = pins("requirements.txt")["ansible-core"]
    assert asked == f">={'.'.join(pinned.split('.')[:2])}.0"
    assert (ROOT / "tests" / "sanity" / f"ignore-{'.'.join(pinned.split('.')[:2])}.txt").exists()
