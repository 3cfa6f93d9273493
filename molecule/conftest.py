"""What the scenarios' tests ask: nodes through testinfra, over the lab's own SSH configuration, and the scenario's playbooks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import testinfra

from holdfast.lab import Lab

ROOT = Path(__file__).parents[1]
NODES = ("node1", "node2")
LIMIT_SECONDS = 900


@pytest.fixture(scope="session")
def node() -> Callable[[str], Any]:
    """A node of the scenario's lab by name, as testinfra sees it."""
    config = Lab.open(os.environ["HOLDFAST_LAB"]).ssh_config
    return lambda name: testinfra.get_host(f"ssh://{name}", ssh_config=str(config))


@pytest.fixture(params=NODES)
def any_node(request: pytest.FixtureRequest, node: Callable[[str], Any]) -> Any:
    """Each node of the cluster in turn."""
    return node(request.param)


@pytest.fixture(scope="session")
def san1(node: Callable[[str], Any]) -> Any:
    """The array."""
    return node("san1")


@pytest.fixture(scope="session")
def client1(node: Callable[[str], Any]) -> Any:
    """The host of the pooler."""
    return node("client1")


@pytest.fixture(scope="session")
def log_in(node: Callable[[str], Any]) -> Callable[[str, int], str]:
    """What the ERP's account reads at an address and port, over TLS: whether the server it ends at takes writes."""
    secret = Lab.open(os.environ["HOLDFAST_LAB"]).folder.path / "secrets" / "erp_password"

    def ask(address: str, port: int) -> str:
        where = f"host={address} port={port} dbname=erp user=erp sslmode=require connect_timeout=10"
        words = f"PGPASSWORD={secret.read_text().strip()} psql '{where}' -tAc 'show transaction_read_only'"
        answer: str = node("node2").check_output(words)
        return answer

    return ask


@pytest.fixture(scope="session")
def playbook() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a playbook (a path below the repository) on the scenario's inventory; its output and exit code come back."""
    return run_playbook


def run_playbook(path: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The arguments that molecule gives to a scenario's playbooks stand in HOLDFAST_MOLECULE_ARGUMENTS."""
    given = os.environ.get("HOLDFAST_MOLECULE_ARGUMENTS", "").split()
    inventory = os.environ["HOLDFAST_MOLECULE_INVENTORY"]
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", inventory, *given, path, *words]
    return subprocess.run(argv, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_SECONDS,
                          env={**os.environ, "ANSIBLE_NOCOLOR": "1"}, check=False)


def changed_tasks(output: str) -> list[str]:
    """The lines of a playbook's recap that count a change."""
    return [line for line in output.splitlines() if re.search(r"changed=[1-9]", line)]


@pytest.fixture
def changes(playbook: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[..., list[str]]:
    """Recap lines with changes of a playbook in check mode."""
    def ask(path: str, *words: str) -> list[str]:
        done = playbook(path, "--check", "--diff", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "PLAY RECAP" in done.stdout
        return changed_tasks(done.stdout)

    return ask
