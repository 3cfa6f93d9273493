"""The example definitions for other databases, against the meta-data of the agents that they name.

The recordings are the `meta-data` answers of Debian 13's resource-agents 4.16.0-3+deb13u2 without their descriptions.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from holdfast_agent.resources.ocf_metadata import OcfMetadata, find_parameter_problems, parse_metadata

RECORDED = Path(__file__).parent / "recorded"
EXAMPLES = sorted((Path(__file__).parents[4] / "inventories/example/group_vars/all").glob("packages_*.yml.example"))


def metadata(agent: str) -> OcfMetadata:
    return parse_metadata((RECORDED / f"{agent.removeprefix('heartbeat:')}.xml").read_text())


def ocf_resources(example: Path) -> Iterator[dict[str, Any]]:
    for package in yaml.safe_load(example.read_text())["holdfast_packages"]:
        yield from (resource["ocf"] for resource in package["resources"] if "ocf" in resource)


def test_there_is_an_example_for_each_database() -> None:
    assert [path.name.split("_")[1].split(".")[0] for path in EXAMPLES] == ["db2", "oracle", "sap"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_its_parameters_are_those_of_the_agent(example: Path) -> None:
    resources = list(ocf_resources(example))
    assert resources
    for resource in resources:
        assert not find_parameter_problems(metadata(resource["agent"]), resource["parameters"]), resource


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_a_wrong_or_missing_parameter_is_noticed(example: Path) -> None:
    for resource in ocf_resources(example):
        known = metadata(resource["agent"])
        assert find_parameter_problems(known, {**resource["parameters"], "sidd": 1}) == ("unknown parameter sidd",)
        required = sorted(known.required)
        assert find_parameter_problems(known, set()) == tuple(f"parameter {name} is required" for name in required)
        assert required


@pytest.mark.parametrize("agent", sorted(path.stem for path in RECORDED.glob("*.xml")))
def test_every_recorded_agent_can_be_started_watched_and_stopped(agent: str) -> None:
    timeouts = metadata(agent).timeouts
    assert {"start", "stop", "monitor"} <= set(timeouts)
    assert all(timeouts[action] > 0 for action in ("start", "stop", "monitor"))
