"""Clusters that a benchmark builds for itself: a lab, playbooks, and who owns the package."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

from holdfast.demo.playbook import run_playbook
from holdfast.drill.hosts import AnsibleModules
from holdfast.drill.site import DEFINITIONS, Site, open_site
from holdfast.drill.view import ClusterView
from holdfast.lab import Lab
from holdfast.lab.errors import LabError
from holdfast.lab.paths import state_directory
from holdfast.lab.topology import load_topology
from holdfast.lab.wait import wait_for

ROOT = Path(__file__).parents[3]
INVENTORY = ROOT / "inventories" / "lab"
PACKAGE = "erp"
SERVICE_SECONDS = 240.0       # a node that crashed boots, and a busy machine takes its time
Report = Callable[[str], None]


@dataclass(frozen=True)
class Recipe:
    """What a cluster is made of: nodes, playbooks (a name or a file), and variables that win over the inventory's."""

    topology: str
    playbooks: tuple[str | Path, ...]
    variables: Path | None = None


class LabCluster(ABC):
    """A cluster in a lab of its own, with the package in service."""

    recipe: ClassVar[Recipe]
    single_writer: ClassVar[bool] = False   # one client for each package, where several packages are measured at once
    site: Site

    def __init__(self, name: str, report: Report) -> None:
        self.lab, self.report = Lab(name), report
        self.folder = state_directory() / "bench" / name

    @classmethod
    @contextmanager
    def built(cls, name: str, report: Report) -> Iterator[Self]:
        """Lab and cluster, made anew; the lab is deleted in the end. The playbooks' logs stay."""
        cluster = cls(name, report)
        try:
            cluster.build()
            yield cluster
        finally:
            cluster.lab.down(delete=True)

    def build(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        os.environ["HOLDFAST_LAB"] = self.lab.name
        self.lab.up(load_topology(self.recipe.topology), fresh=True, report=self.report)
        for playbook in self.recipe.playbooks:
            log = self.folder / f"{Path(playbook).stem}.log"
            run_playbook(playbook, self.lab.name, log, self.report, self.recipe.variables)
        self.open()

    def open(self) -> None:
        """Get to know the cluster that was built."""
        self.site = self.find_site()
        self.modules = AnsibleModules(ROOT, INVENTORY, self.folder)

    @abstractmethod
    def find_site(self) -> Site:
        """Hosts, and the package as the probe has to know it."""

    @abstractmethod
    def owner(self) -> str:
        """Wait until one node runs the package and the others could take it; returns the owner."""

    @abstractmethod
    def prepare(self, owner: str) -> None:
        """Before each event: what happened before must not count against the package."""

    @abstractmethod
    def move(self, owner: str) -> None:
        """Move the package to the other node, and wait for the answer."""

    @abstractmethod
    def leave_alone(self, owner: str) -> None:
        """Let nobody watch the database until `watch_again`."""

    @abstractmethod
    def watch_again(self, owner: str) -> None:
        """The end of `leave_alone`."""

    @property
    def views(self) -> Mapping[str, ClusterView]:
        """The packages that clients use."""
        return {self.site.view.name: self.site.view}

    def run(self, node: str, command: str, timeout_seconds: float = 60) -> str:
        return self.lab.node(node).succeed(command, timeout_seconds=timeout_seconds)

    def other(self, node: str) -> str:
        return next(name for name in self.site.view.nodes if name != node)

    def crash(self, owner: str) -> None:
        """Its power is cut, and stays away until `bring_back`: a machine that boots would take processors of the lab's host
        from the one that takes over, which no real server does."""
        self.lab.node(owner).power_off()

    def bring_back(self) -> None:
        """Power for every node that has none."""
        for node in self.site.view.nodes:
            self.lab.node(node).power_on()


class Cluster(LabCluster):
    """Holdfast on the default lab. `packages` are those that must be in service."""

    recipe = Recipe("default", ("build_cluster", "deploy_packages"))
    packages: tuple[str, ...] = (PACKAGE,)

    def find_site(self) -> Site:
        return open_site(ROOT, INVENTORY, PACKAGE)

    def statuses(self, node: str) -> dict[str, Any]:
        """All packages by name, as the node's agent sees them; empty where no agent answers."""
        try:
            packages: dict[str, Any] = json.loads(self.run(node, "holdfastctl status --json"))["packages"]
        except (LabError, ValueError):
            return {}
        return packages

    def owner(self) -> str:
        def settled() -> str | None:
            return find_settled({node: self.statuses(node) for node in self.site.view.nodes}, self.packages)

        return wait_for("one owner and its standby", settled, timeout_seconds=SERVICE_SECONDS)

    def prepare(self, owner: str) -> None:
        self.run(owner, "; ".join(f"holdfastctl forget-failures {package}" for package in self.packages))

    def move(self, owner: str) -> None:
        """All packages at once; an error where one is refused."""
        target, numbered = self.other(owner), list(enumerate(self.packages))
        moves = " ".join(f"holdfastctl move {package} {target} & p{number}=$!;" for number, package in numbered)
        waits = " && ".join(f"wait $p{number}" for number, _ in numbered)
        self.run(owner, f"{moves} {waits}", timeout_seconds=SERVICE_SECONDS)

    def leave_alone(self, owner: str) -> None:
        self.run(owner, "systemctl stop holdfast-agent")

    def watch_again(self, owner: str) -> None:
        self.run(owner, "systemctl start holdfast-agent")

    @property
    def views(self) -> Mapping[str, ClusterView]:
        node = self.site.view.nodes[0]
        documents = {p: json.loads(self.run(node, f"cat {DEFINITIONS}/{p}.json")) for p in self.packages}
        return {package: replace(self.site.view, package=document) for package, document in documents.items()}


def find_settled(seen: Mapping[str, Mapping[str, Any]], packages: tuple[str, ...]) -> str | None:
    """The node that owns all packages while every other node is their standby."""
    owners = set()
    for package in packages:
        states = {node: statuses.get(package, {}).get("state") for node, statuses in seen.items()}
        owning = [node for node, state in states.items() if state == "owner"]
        if len(owning) != 1 or any(state != "standby" for node, state in states.items() if node not in owning):
            return None
        owners.update(owning)
    return owners.pop() if len(owners) == 1 else None
