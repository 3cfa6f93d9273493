"""The tools of the tests: installed once, again when the pins change, and a plain line when pip cannot."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from holdfast.lab.errors import LabError
from holdfast.suite import tools as suite_tools
from holdfast.suite.stages import Stage
from tests.closed_environment import Tools

PIP = (sys.executable, "-m", "pip", "install")


@pytest.fixture
def pins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pins = tmp_path / "requirements-test.txt"
    pins.write_text("pytest==1\n")
    monkeypatch.setattr(suite_tools, "REQUIREMENTS", pins)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    return pins


def test_once_and_again_when_the_pins_change(pins: Path, tools: Tools) -> None:
    tools.expect(*PIP)
    suite_tools.prepare([])
    suite_tools.prepare([])
    pins.write_text("pytest==2\n")
    tools.expect(*PIP)
    suite_tools.prepare([])
    assert len(tools.calls) == 2


def test_no_network(pins: Path, tools: Tools) -> None:
    tools.expect(*PIP, code=1, stderr="WARNING: Retrying\nERROR: No matching distribution found for pytest==1\n")
    with pytest.raises(LabError) as caught:
        suite_tools.prepare([])
    assert str(caught.value) == ("pip could not install requirements-test.txt: ERROR: No matching distribution found for "
                                 "pytest==1; without a way to a package index set PIP_INDEX_URL or a proxy, then run the same "
                                 "command again")
    assert not (pins.parent / ".holdfast-test").exists()


def test_packages_that_are_there_are_not_installed(pins: Path, tools: Tools) -> None:
    tools.expect(*PIP)
    tools.expect("dpkg-query", stdout="ii ")
    suite_tools.prepare([Stage("x", "", (), packages=("git",)), Stage("y", "", (), packages=("git",))])
