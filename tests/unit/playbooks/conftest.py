"""The playbooks run for real on the lab's inventory; what a host would be asked is written down and answered by a stand-in."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
LIMIT_SECONDS = 300
NETWORKS = {"client": "10.20.0", "storage_a": "10.20.1", "storage_b": "10.20.2", "heartbeat": "10.20.3"}
HOSTS = {"san1": ("array", 5), "node1": ("node", 11), "node2": ("node", 12), "client1": ("client", 101)}


@dataclass(frozen=True)
class Call:
    """A module that a host was asked to run."""

    host: str
    module: str
    task: str
    args: dict[str, Any]


@dataclass(frozen=True)
class Run:
    """A run of a playbook: exit code, output, and the calls in their order."""

    code: int
    output: str
    calls: list[Call]

    @property
    def steps(self) -> list[tuple[str, set[str]]]:
        """Tasks that asked hosts, with the hosts that were asked side by side."""
        steps: list[tuple[str, set[str]]] = []
        for call in self.calls:
            if not steps or steps[-1][0] != call.task or call.host in steps[-1][1]:
                steps.append((call.task, set()))
            steps[-1][1].add(call.host)
        return steps

    @property
    def changed(self) -> list[str]:
        return [line for line in self.output.splitlines() if re.search(r"changed=[1-9]", line)]

    def asked(self, module: str) -> list[Call]:
        return [call for call in self.calls if call.module == module]


class Site:
    """The lab's inventory with hosts that do not exist."""

    def __init__(self, folder: Path, hosts: dict[str, tuple[str, int]] = HOSTS) -> None:
        self.folder = folder
        lab = folder / "labs" / "lab"
        lab.mkdir(parents=True)
        (lab / "lab.json").write_text(json.dumps(record(hosts)))

    def run(
        self, playbook: str | Path, *words: str, bare: bool = False, answers: dict[str, Any] | None = None, **variables: Any
    ) -> Run:
        """A playbook of the collection by its name, or any by its path; `variables` become extra variables."""
        log = self.folder / "calls.jsonl"
        log.unlink(missing_ok=True)
        path = ROOT / "playbooks" / f"{playbook}.yml" if isinstance(playbook, str) else playbook
        argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventories/lab", str(path), *words]
        environment = {
            **os.environ,
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent / "callback"),
            "HOLDFAST_STATE": str(self.folder),
            "HOLDFAST_LAB": "lab",
            "STAND_IN_LOG": str(log),
            "STAND_IN_ANSWERS": json.dumps(answers or {}),
            "STAND_IN_BARE": "yes" if bare else "",
        }
        done = subprocess.run([*argv, "-e", json.dumps(variables)], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
        lines = log.read_text().splitlines() if log.exists() else []
        return Run(done.returncode, done.stdout + done.stderr, [Call(*json.loads(line)) for line in lines])


def record(hosts: dict[str, tuple[str, int]]) -> dict[str, Any]:
    """The lab's own record, as far as its inventory reads it."""
    of_role = {"array": ["storage_a", "storage_b"], "node": list(NETWORKS), "client": ["client"]}
    nodes = {
        name: {"role": role, "host": number, "networks": of_role[role], "disks": [{"name": "luns", "size_gib": 24}]}
        for name, (role, number) in hosts.items()
    }
    subnets = {name: {"subnet": f"{prefix}.0/24"} for name, prefix in NETWORKS.items()}
    return {"name": "lab", "backend": "uml", "topology": {"networks": subnets, "nodes": nodes}}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="session")
def definition(site: Site) -> dict[str, Any]:
    """The document of package erp as the agent of node1 gets it."""
    run = site.run("deploy_packages", bare=True)
    return next(call.args["packages"][0] for call in run.asked("package_definition"))
