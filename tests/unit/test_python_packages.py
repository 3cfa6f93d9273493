"""Why pip could not install: an index that does not answer is told from a version that is not there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from holdfast.lab.errors import LabError
from holdfast.python_packages import install_requirements, reason
from tests.closed_environment import Tools

# As pip 23 to 25 write it.
BROKEN = ("WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection broken by "
          "'{}': /simple/x/\nERROR: Could not find a version that satisfies the requirement x==1 (from versions: none)\n"
          "ERROR: No matching distribution found for x==1\n")
NEW = "NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection at 0x7f>: Failed to establish a new connection: {}')"


@pytest.mark.parametrize(("said", "why"), [
    (BROKEN.format(NEW.format("[Errno -3] Temporary failure in name resolution")), "the package index does not answer (name "
     "resolution)"),
    (BROKEN.format(NEW.format("[Errno 101] Network is unreachable")), "the package index does not answer (unreachable)"),
    (BROKEN.format(f"ProxyError('Cannot connect to proxy.', {NEW.format('[Errno 111] Connection refused')})"),
     "the package index does not answer (Connection refused)"),
    (BROKEN.format("ConnectTimeoutError(<x>, 'Connection to 192.0.2.1 timed out. (connect timeout=15)')"),
     "the package index does not answer (timed out)"),
    ("ERROR: No matching distribution found for x==1\n", "ERROR: No matching distribution found for x==1"),
    ("", "it gave no reason"),
])
def test_reason(said: str, why: str) -> None:
    assert reason(said) == why


def test_what_to_do_is_said(tools: Tools) -> None:
    tools.expect(sys.executable, "-m", "pip", "install", code=1, stderr="ERROR: no\n")
    with pytest.raises(LabError) as caught:
        install_requirements(Path("requirements-x.txt"))
    assert str(caught.value) == ("pip could not install requirements-x.txt: ERROR: no; without a way to a package index set "
                                 "PIP_INDEX_URL or a proxy, then run the same command again")


def test_somebody_elses_environment_is_left_alone(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: (path, mode) != (sys.prefix, os.W_OK))
    with pytest.raises(LabError, match="make a checkout of your own"):
        install_requirements(Path("requirements-x.txt"))
