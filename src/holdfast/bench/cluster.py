"""A cluster that a benchmark built for itself, and the drills' own probe on it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from holdfast.demo.playbook import run_playbook
from holdfast.drill.hosts import AnsibleModules
from holdfast.drill.observers import Probe
from holdfast.drill.site import Site, open_site
from holdfast.drill.verdict.history import Attempt
from holdfast.drill.verdict.outage import longest_gaps
from holdfast.lab import Lab
from holdfast.lab.errors import LabError
from holdfast.lab.topology import load_topology
from holdfast.lab.wait import wait_for

ROOT = Path(__file__).parents[3]
INVENTORY = ROOT / "inventories" / "lab"
PLAYBOOKS = ("build_cluster", "deploy_packages")
PACKAGE = "erp"
SERVICE_SECONDS = 240.0       # a node that crashed boots, and a busy machine takes its time
CALM_SECONDS = 2.0            # without an error, before the next event
Report = Callable[[str], None]


class Cluster:
    """The default lab with the package in service. `close` deletes it."""

    def __init__(self, name: str, folder: Path, report: Report) -> None:
        self.lab, self.folder, self.report = Lab(name), folder, report
        os.environ["HOLDFAST_LAB"] = name
        self.lab.up(load_topology("default"), fresh=True, report=report)
        for playbook in PLAYBOOKS:
            run_playbook(playbook, name, folder / f"{playbook}.log", report)
        self.site: Site = open_site(ROOT, INVENTORY, PACKAGE)
        self.modules = AnsibleModules(ROOT, INVENTORY, folder)

    def close(self) -> None:
        self.lab.down(delete=True)

    def run(self, node: str, command: str) -> str:
        return self.lab.node(node).succeed(command)

    def status(self, node: str) -> dict[str, Any]:
        package: dict[str, Any] = json.loads(self.run(node, "holdfastctl status --json"))["packages"][PACKAGE]
        return package

    def states(self) -> dict[str, str]:
        """State of the package on every node; "" where no agent answers."""
        return {node: self._state(node) for node in self.site.view.nodes}

    def _state(self, node: str) -> str:
        try:
            return str(self.status(node)["state"])
        except (LabError, ValueError):
            return ""

    def owner(self) -> str:
        """Wait until one node owns the package and the others could take it; returns the owner."""
        def settled() -> str | None:
            states = self.states()
            owners = [node for node, state in states.items() if state == "owner"]
            return owners[0] if sorted(states.values()) == ["owner", *["standby"] * (len(states) - 1)] else None

        return wait_for("one owner and its standby", settled, timeout_seconds=SERVICE_SECONDS)

    def other(self, node: str) -> str:
        return next(name for name in self.site.view.nodes if name != node)


class Measured:
    """A probe that runs while events happen; each event's outage is what its worst writer saw."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        client = cluster.site.view.clients[0]
        self.probe = Probe(cluster.site.shell, cluster.site.view, client, name)
        self.probe.install(cluster.modules)
        self.probe.prepare(cluster.owner())
        self.probe.start()
        self.calm()

    def calm(self) -> None:
        """Wait until clients have been served for a while."""
        wait_for("clients are served", lambda: self.probe.calm_seconds >= CALM_SECONDS or None,
                 timeout_seconds=SERVICE_SECONDS)

    def event(self, happen: Callable[[], object]) -> float:
        """Let something happen and wait until clients are served again; returns when it began (wall clock)."""
        begun = time.time()
        happen()
        time.sleep(1.0)       # the probe's status is read twice a second: errors of the event are in it by then
        self.calm()
        return begun

    def outages(self, events: Iterable[float]) -> tuple[float, ...]:
        """End the probe; seconds of each event, in order. LabError where a transaction got lost."""
        text = self.probe.stop()
        attempts = [read_attempt(json.loads(line)) for line in text.splitlines()]
        self.probe.remove()
        return outages_of(attempts, list(events))


def read_attempt(line: dict[str, Any]) -> Attempt:
    """The clients and this process read the same clock: a lab's nodes run on this machine's."""
    start = line["t_wall"]
    return Attempt(line["worker"], line["role"], line["seq"], line["rows"], start, start + line["seconds"], line["outcome"])


def outages_of(attempts: list[Attempt], events: list[float]) -> tuple[float, ...]:
    """Longest time without success of the worst writer, per event, looked for until the next event."""
    found = []
    for begun, end in zip(events, [*events[1:], max(a.end for a in attempts)], strict=True):
        gaps = longest_gaps([a for a in attempts if a.end <= end], begun, end)
        seconds = [gap.seconds for gap in gaps.values() if gap is not None and gap.recovered]
        if not seconds:
            raise LabError("the probe measured nothing around an event")
        found.append(max(seconds))
    return tuple(found)
