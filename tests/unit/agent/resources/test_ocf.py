"""OCF agents by the contract, with a small one that is really run."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from holdfast_agent.config import Resource
from holdfast_agent.errors import DeadlineError, ResourceError
from holdfast_agent.resources import ocf
from holdfast_agent.resources.ocf import build_environment

from tests.closed_environment import Tools

AGENT = """#!/bin/sh
case "$1" in
meta-data) cat <<END
<?xml version="1.0"?>
<resource-agent name="Tiny"><parameters><parameter name="state" required="1"/><parameter name="fail"/></parameters>
<actions><action name="start" timeout="20s"/><action name="stop" timeout="20s"/><action name="monitor" timeout="1s"/>
<action name="validate-all" timeout="5s"/></actions></resource-agent>
END
;;
validate-all) exit 3 ;;
start) [ -n "$OCF_RESKEY_fail" ] && { echo "no licence" >&2; exit "$OCF_RESKEY_fail"; }
       touch "$OCF_RESKEY_state"; (sleep 5 &) ;;
stop) rm -f "$OCF_RESKEY_state" ;;
monitor) [ "$OCF_RESKEY_state" = slow ] && sleep 5; [ -e "$OCF_RESKEY_state" ] || exit 7 ;;
esac
"""


class NoGroup:
    """Control groups need a node."""

    def __init__(self, package: str, resource: str) -> None:
        self.enter = None

    def create(self) -> None: ...

    def kill(self, deadline: float) -> None: ...


@pytest.fixture(autouse=True)
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tools: Tools) -> Path:
    path = tmp_path / "resource.d/test/Tiny"
    path.parent.mkdir(parents=True)
    path.write_text(AGENT)
    path.chmod(0o755)
    tools.let_run(str(path))
    monkeypatch.setattr(ocf, "_ROOT", tmp_path)
    monkeypatch.setattr(ocf, "ControlGroup", NoGroup)
    return path


def resource(**parameters: str) -> Resource:
    return Resource("erp", "tiny", "ocf", {"agent": "test:Tiny", "parameters": parameters})


def soon() -> float:
    return time.monotonic() + 10


def test_start_monitor_stop(tmp_path: Path) -> None:
    tiny = resource(state=str(tmp_path / "state"))
    begun = time.monotonic()
    ocf.start(tiny, soon())
    assert time.monotonic() - begun < 4, "a daemon that is left behind was waited for"
    ocf.check(tiny, soon())
    ocf.stop(tiny, True, soon())
    assert ocf.is_down(tiny, soon())
    with pytest.raises(ResourceError, match="not running"):
        ocf.check(tiny, soon())


def test_a_failed_start_carries_meaning_and_words(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="not installed: no licence") as failed:
        ocf.start(resource(state=str(tmp_path / "state"), fail="5"), soon())
    assert failed.value.details["exit_code"] == 5


def test_the_agents_own_timeout_bounds_an_action() -> None:
    with pytest.raises(DeadlineError, match="monitor"):
        ocf.check(resource(state="slow"), soon())


def test_parameters_are_compared_with_the_metadata() -> None:
    with pytest.raises(ResourceError, match="unknown parameter colour, parameter state is required"):
        ocf.start(resource(colour="red"), soon())


def test_a_missing_agent_is_a_reason() -> None:
    with pytest.raises(ResourceError, match="not installed"):
        ocf.program(Resource("erp", "x", "ocf", {"agent": "test:None"}))


def test_the_promised_environment() -> None:
    tiny = Resource("erp", "tiny", "ocf", {"agent": "heartbeat:Tiny", "parameters": {"state": "/run/x", "force": True}})
    environment = build_environment(tiny, 12.5)
    assert environment["OCF_RESOURCE_PROVIDER"] == "heartbeat"
    assert environment["OCF_RESOURCE_INSTANCE"] == "erp-tiny"
    assert environment["OCF_RESKEY_force"] == "true"
    assert environment["OCF_RESKEY_CRM_meta_timeout"] == "12500"
