"""An ordinary user has a lab of his own: from a fresh clone, without root, with subordinate ids and nothing else.

The user is made for this test and removed after it; making him is why the test itself needs root.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.lab

USER = "holdfast-test"
ROOT = Path(__file__).parents[3]
TOPOLOGY = """
networks:
  mgmt: {subnet: 10.20.9.0/24}
  client: {subnet: 10.20.0.0/24, gateway: 1}
nodes:
  node1: {role: node, host: 11, memory_mib: 384}
  node2: {role: node, host: 12, memory_mib: 384}
"""


def as_user(command: str, *, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["su", "-", USER, "-c", command], capture_output=True, text=True, timeout=timeout, check=False)


def remove_user() -> int:
    return subprocess.run(["userdel", "--remove", USER], capture_output=True, check=False).returncode


@pytest.fixture(scope="module")
def clone() -> Iterator[str]:
    """A fresh clone in the new user's home."""
    assert os.geteuid() == 0, "this test makes a user and therefore runs as root"
    remove_user()             # of a run that was killed
    subprocess.run(["useradd", "--create-home", "--shell", "/bin/bash", USER], check=True)
    home = Path(f"/home/{USER}")
    try:
        subprocess.run(["git", "-c", "safe.directory=*", "clone", "--quiet", str(ROOT), str(home / "holdfast")], check=True)
        (home / "two.yml").write_text(TOPOLOGY)
        subprocess.run(["chown", "-R", f"{USER}:", str(home)], check=True)
        yield "cd holdfast && ./holdfast lab"
    finally:
        as_user("cd holdfast && ./holdfast lab down --delete")
        assert remove_user() == 0


def test_an_ordinary_user_builds_boots_uses_and_ends_a_lab(clone: str) -> None:
    up = as_user(f"{clone} up --topology ../two.yml --json")
    assert up.returncode == 0, up.stderr
    nodes = json.loads(up.stdout)["nodes"]
    assert {name: node["state"] for name, node in nodes.items()} == {"node1": "on", "node2": "on"}
    ping = as_user(f"{clone} ssh node1 ping -c 1 -W 2 10.20.0.12")
    assert ping.returncode == 0, ping.stdout + ping.stderr
    assert as_user(f"{clone} cable unplug node1 client").returncode == 0
    assert as_user(f"{clone} ssh node1 ping -c 1 -W 1 10.20.0.12").returncode == 1
    assert as_user(f"{clone} power cycle node2 --wait").returncode == 0
    assert as_user(f"{clone} ssh node1 apt-get install -y -qq socat").returncode == 0
    down = as_user(f"{clone} down --delete")
    assert down.returncode == 0, down.stderr
    listed = subprocess.run(["ps", "-u", USER, "-o", "stat=,args="], capture_output=True, text=True, check=False).stdout
    # A zombie has ended already; when it disappears is up to this machine's init.
    assert [line for line in listed.splitlines() if not line.startswith("Z")] == []
