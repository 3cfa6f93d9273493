"""Meta-data of OCF agents."""

from __future__ import annotations

import pytest
from holdfast_agent.errors import ResourceError
from holdfast_agent.resources.ocf_metadata import parse_duration, parse_metadata

DUMMY = """<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">
<resource-agent name="Dummy" version="1.0">
<parameters>
<parameter name="state" unique-group="state"><content type="string" default="/run/Dummy.state" /></parameter>
<parameter name="sid" required="1"><content type="string" /></parameter>
</parameters>
<actions>
<action name="start"        timeout="20s" />
<action name="monitor"      timeout="240" interval="10s" depth="0"/>
</actions>
</resource-agent>
"""


def test_timeouts_and_parameters() -> None:
    metadata = parse_metadata(DUMMY)
    assert metadata.timeouts == {"start": 20.0, "monitor": 240.0}
    assert metadata.parameters == {"state", "sid"}
    assert metadata.required == {"sid"}


@pytest.mark.parametrize(
    ("text", "seconds"), [("20s", 20), ("240", 240), ("1m", 60), ("500ms", 0.5), ("2min", 120), ("soon", 0), ("", 0)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "<a", "<html/>"])
def test_what_is_not_metadata_is_refused(text: str) -> None:
    with pytest.raises(ResourceError):
        parse_metadata(text)
