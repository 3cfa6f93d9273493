"""Packages that are missing on this machine: installed where that is allowed, else one line says what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from holdfast.host_packages import install_packages, reason
from holdfast.lab.errors import HostError
from tests.closed_environment import Tools

NOT_FETCHED = ("W: Failed to fetch http://deb.debian.org/debian/dists/trixie/InRelease  Temporary failure resolving "
               "'deb.debian.org'")
SILENT = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Of a user with sudo; what a test takes out of the set is missing."""
    has = {"apt-get", "sudo"}
    monkeypatch.setattr(shutil, "which", lambda tool: f"/usr/bin/{tool}" if tool in has else None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return has


def install(*packages: str) -> tuple[str | None, list[str]]:
    """What was refused, and what was reported on the way."""
    told: list[str] = []
    try:
        install_packages(list(packages), told.append)
    except HostError as error:
        return str(error), told
    return None, told


def test_it_may_be_the_first_to_be_imported(tools: Tools) -> None:
    """The lab, whose environment it uses, imports it as well."""
    tools.let_run(sys.executable)
    program = [sys.executable, "-c", "import holdfast.host_packages"]
    assert subprocess.run(program, env={"PYTHONPATH": ":".join(sys.path)}, check=False).returncode == 0


def test_nothing_to_install(tools: Tools) -> None:
    assert install() == (None, [])


def test_root(machine: set[str], tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    tools.expect(*SILENT, "update")
    tools.expect(*SILENT, "install")
    assert install("spin", "gcc") == (None, ["installing spin, gcc"])
    assert tools.calls[1][-2:] == ["spin", "gcc"]


def test_a_sudo_that_asks_nothing(machine: set[str], tools: Tools) -> None:
    tools.expect("sudo", "-n", "true")
    tools.expect("sudo", "-n", *SILENT, "update")
    tools.expect("sudo", "-n", *SILENT, "install")
    assert install("spin") == (None, ["installing spin"])


@pytest.mark.parametrize("has_sudo", [True, False])
def test_neither_root_nor_sudo(machine: set[str], tools: Tools, has_sudo: bool) -> None:
    if has_sudo:
        tools.expect("sudo", "-n", "true", code=1)
    else:
        machine.remove("sudo")
    assert install("spin", "gcc") == (
        "packages are missing; get them with: sudo apt-get install --no-install-recommends spin gcc", [])


def test_a_machine_without_apt(machine: set[str], tools: Tools) -> None:
    machine.remove("apt-get")
    assert install("spin") == ("this machine has no apt-get; what these Debian packages hold is needed: spin", [])


def test_no_network(machine: set[str], tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    tools.expect(*SILENT, "update")
    tools.expect(*SILENT, "install", code=100, stderr="E: Failed to fetch x  Could not resolve 'x'\nmore\n")
    assert install("spin")[0] == ("apt-get could not install spin: E: Failed to fetch x  Could not resolve 'x'; see to that (the "
                                  "network?), then run the same command again")


def test_no_network_and_no_lists_of_packages(machine: set[str], tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a fresh Debian 13: its update ends well, and its install knows no such package."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    tools.expect(*SILENT, "update", stderr=f"{NOT_FETCHED}\nW: Some index files failed to download.\n")
    tools.expect(*SILENT, "install", code=100, stderr="E: Unable to locate package spin\n")
    assert install("spin")[0] == (f"apt-get could not install spin: {NOT_FETCHED}; E: Unable to locate package spin; see to that "
                                  "(the network?), then run the same command again")


@pytest.mark.parametrize(("output", "said"), [
    ("", "it gave no reason"), ("W: a\nb\n\n", "b"), ("E: a\nE: b\nc", "E: b"), (f"{NOT_FETCHED}\nW: a\n", NOT_FETCHED),
    ("E: Failed to fetch a  b\nE: Unable to fetch some archives\n", "E: Failed to fetch a  b; E: Unable to fetch some archives")])
def test_reason(output: str, said: str) -> None:
    assert reason(output) == said
