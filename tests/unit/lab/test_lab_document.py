"""docs/lab.md says what the code does: verbs, options, topology keys with their limits, settings."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest
import yaml

from holdfast.cli import build_parser
from holdfast.lab import topology as topology_module
from holdfast.lab.topology import load_topology, parse_topology

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "lab.md").read_text()
CELLS = {row.split("|")[1].strip().strip("`"): row for row in TEXT.splitlines() if row.startswith("| `")}


def verbs() -> dict[str, argparse.ArgumentParser]:
    def choices(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
        return next(dict(action.choices) for action in parser._actions if isinstance(action, argparse._SubParsersAction))

    return choices(choices(build_parser())["lab"])


@pytest.mark.parametrize("verb", verbs())
def test_every_verb_has_an_example(verb: str) -> None:
    assert f"| `holdfast lab {verb}" in TEXT


@pytest.mark.parametrize(("verb", "option"), sorted(
    (verb, word) for verb, parser in verbs().items() for action in parser._actions for word in action.option_strings
    if word.startswith("--") and word != "--help"))
def test_every_option_is_told(verb: str, option: str) -> None:
    assert option in TEXT


@pytest.mark.parametrize("example", re.findall(r"\| `holdfast (lab [^`]+)`", TEXT))
def test_every_example_is_accepted(example: str) -> None:
    build_parser().parse_args(example.split())


def test_the_topology_of_the_document_is_a_good_one() -> None:
    block = re.search(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert block is not None
    assert parse_topology(yaml.safe_load(block[1]))[1] == []


@pytest.mark.parametrize(("raw", "place"), [
    ({"x": 1}, ""), ({"networks": {"n": {"x": 1}}}, "networks.NAME."), ({"nodes": {"n": {"x": 1}}}, "nodes.NAME."),
    ({"nodes": {"n": {"disks": [{"x": 1}]}}}, "nodes.NAME.disks[].")])
def test_every_key_of_a_topology_is_in_the_table(raw: object, place: str) -> None:
    told = next(problem for problem in parse_topology(raw)[1] if ".x: unknown key" in problem)
    for key in told.partition("known are ")[2].split(", "):
        assert any(cell.startswith(f"{place}{key}") for cell in CELLS), f"{place}{key} is missing"


@pytest.mark.parametrize(("key", "limits"), [
    ("system", topology_module.SYSTEMS), ("nodes.NAME.role", topology_module.ROLES),
    ("nodes.NAME.role", [topology_module.MAXIMUM_CLUSTER_NODES]), ("nodes.NAME.disks", [topology_module.MAXIMUM_DISKS]),
    ("nodes.NAME.memory_mib", [topology_module.MINIMUM_MEMORY_MIB, topology_module.DEFAULT_MEMORY_MIB])])
def test_limits_and_defaults_are_those_of_the_code(key: str, limits: list[object]) -> None:
    assert all(re.search(rf"\b{limit}\b", CELLS[key]) for limit in limits)


def test_the_default_lab_is_the_default_topology() -> None:
    topology = load_topology("default")
    for machine in topology.machines:
        row = next(row for row in TEXT.splitlines() if row.startswith("| `") and f"`{machine.name}`" in row)
        assert f"{machine.memory_mib} MiB" in row
    assert all(f"{network.subnet}" in TEXT for network in topology.networks)


def test_every_setting_is_told() -> None:
    sources = [*(ROOT / "src/holdfast/lab").rglob("*.py"), ROOT / "plugins/inventory/lab.py"]
    used = {name for path in sources for name in re.findall(r"HOLDFAST_[A-Z_]+", path.read_text())}
    assert used == {name for name in CELLS if name.startswith("HOLDFAST_")}
