"""What an OCF agent says about itself (OCF resource agent API 1.1, "Metadata")."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from ..errors import ResourceError

# Units that agents of the distribution use for timeouts; a bare number is in seconds.
_UNITS = {"": 1.0, "s": 1.0, "sec": 1.0, "ms": 0.001, "m": 60.0, "min": 60.0, "h": 3600.0, "hr": 3600.0}
_DURATION = re.compile(r"(\d+)\s*([a-z]*)")


@dataclass(frozen=True)
class OcfMetadata:
    """Timeouts by action in seconds, and which parameters exist and are required."""

    timeouts: Mapping[str, float]
    parameters: frozenset[str]
    required: frozenset[str]


def parse_metadata(text: str) -> OcfMetadata:
    """Read an agent's meta-data; raises ResourceError where it is not OCF meta-data."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ResourceError(f"meta-data is not XML: {error}") from error
    if root.tag != "resource-agent":
        raise ResourceError(f"meta-data is a <{root.tag}>, not a <resource-agent>")
    parameters = root.findall("parameters/parameter")
    return OcfMetadata(
        timeouts={action.get("name", ""): parse_duration(action.get("timeout", "0"))
                  for action in root.findall("actions/action")},
        parameters=frozenset(parameter.get("name", "") for parameter in parameters),
        required=frozenset(p.get("name", "") for p in parameters if p.get("required") in ("1", "true")),
    )  # fmt: skip


def find_parameter_problems(metadata: OcfMetadata, given: Collection[str]) -> tuple[str, ...]:
    """What is wrong with the names of the parameters that a definition gives, one sentence each."""
    unknown = [f"unknown parameter {name}" for name in sorted(set(given) - metadata.parameters)]
    return (*unknown, *(f"parameter {name} is required" for name in sorted(metadata.required - set(given))))


def parse_duration(text: str) -> float:
    """Seconds of a duration such as "20s" or "240"; 0 where it cannot be read."""
    match = _DURATION.fullmatch(text.strip().lower())
    return int(match[1]) * _UNITS.get(match[2], 1.0) if match else 0.0
