"""The lab as an ordinary inventory: Ansible from a plain shell, with host keys checked, and apt inside the nodes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.lab import Lab
from tests.integration.lab.conftest import ROOT

pytestmark = pytest.mark.lab
PLAIN = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "HOLDFAST_LAB": "itest"}


def ansible(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(Path(sys.executable).with_name("ansible")), "-i", "inventories/lab", *words], cwd=ROOT,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, env={**PLAIN, **settings},
                          check=False)


def test_ping_from_a_plain_shell(lab: Lab) -> None:
    done = ansible("all", "-m", "ping")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {line.split()[0] for line in done.stdout.splitlines() if "SUCCESS" in line} == {
        "san1", "node1", "node2", "client1"}
    done = ansible("cluster_nodes", "-m", "debug", "-a", "var=holdfast_addresses.heartbeat")
    assert "10.20.3.12" in done.stdout


def test_what_a_user_has_in_his_bashrc_is_in_nobodys_way(lab: Lab, tmp_path: Path) -> None:
    """bash reads it for a proxy command: the top-level shell of a CI job, with a socket as its input."""
    (tmp_path / ".bashrc").write_text("echo noise; sleep 60\n")
    lab._end_connections()
    user = {"HOME": str(tmp_path), "SHELL": "/bin/bash", "HOLDFAST_STATE": str(lab.folder.path.parents[1])}
    done = ansible("client1", "-m", "ping", **user)
    assert done.returncode == 0, done.stdout + done.stderr
    argv = [str(ROOT / "holdfast"), "lab", "ssh", "client1", "--", "echo", "answers"]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
                          env={**PLAIN, **user}, check=False)
    assert done.stdout == "answers\n", done.stderr


def test_another_host_key_is_refused(lab: Lab) -> None:
    known = lab.folder.path / "known_hosts"
    right = known.read_text()
    lines = dict(line.split(" ", 1) for line in right.splitlines())
    lab._end_connections()
    try:
        known.write_text(f"client1 {lines['node1']}\n")
        wrong_key = ansible("client1", "-m", "ping")
        known.write_text("")
        no_key = ansible("client1", "-m", "ping")
    finally:
        known.write_text(right)
    for done in (wrong_key, no_key):
        assert done.returncode == 4, done.stdout
        assert "Host key verification failed" in done.stdout + done.stderr
    assert ansible("client1", "-m", "ping").returncode == 0


def test_apt_works_without_any_way_out(lab: Lab) -> None:
    node = lab.node("client1")
    assert node.execute("command -v lsof").code != 0
    done = ansible("client1", "-m", "apt", "-a", "name=lsof state=present update_cache=true")
    assert done.returncode == 0, done.stdout + done.stderr
    assert node.succeed("lsof -v 2>&1 | head -1")
    assert node.execute(["ping", "-c", "1", "-W", "1", "198.51.100.1"]).code != 0, "there is no way out (RFC 5737)"
