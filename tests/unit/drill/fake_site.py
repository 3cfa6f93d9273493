"""A site without machines for the tests of the driver: a tiny cluster that answers what the driver asks.

An unexpected command or module fails the test: the driver must not do anything that nobody thought of.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast.drill.driver import Drill
from holdfast.drill.errors import HostUnreachable
from holdfast.drill.hosts import Completed
from holdfast.drill.journal import Journal
from holdfast.drill.observers import Observers, Probe
from holdfast.drill.plan import bind_roles
from holdfast.drill.runbook.model import Runbook
from tests.unit.drill.site_view import view
from tests.unit.drill.world import MACS


class FakeCluster:
    """Who owns the package, who is down, which faults are active; and a log of what was asked."""

    def __init__(self) -> None:
        self.owner = "node1"
        self.owner_state = "owner"
        self.down: set[str] = set()
        self.active: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.leftovers: list[str] = []
        self.takes_over = True
        self.cable_is_out: bool | None = True
        self.effect: dict[str, Any] | None = None
        self.refused: set[str] = set()
        self.probe_runs = False
        self.boots = {"node1": 1, "node2": 1, "san1": 1}

    def sample(self, host: str) -> dict[str, Any]:
        own = host == self.owner
        number = {"node1": 1, "node2": 2}.get(host, 0)
        key = f"0xa1b2c3d4{number:02x}000001"
        lun = {"keys": [key] if own else [], "holder": key if own else None, "paths": 2, "registered": 2 if own else 0,
               "error": ""}  # fmt: skip
        package = {"mounted": own, "addresses": ["10.20.0.50"] if own else [], "database": own, "luns": {"erp-data": lun}}
        nodes = host.startswith("node")
        return {
            "t_wall": time.time(), "t_mono": time.monotonic(), "node": host, "boot_id": f"{host}-{self.boots[host]}",
            "packages": {"erp": package} if nodes else {},
            "agent": {"erp": {"state": self.owner_state if own else "standby", "reason": "well", "last_takeover": None}}
            if nodes else None,
        }  # fmt: skip


class FakeShell:
    def __init__(self, cluster: FakeCluster) -> None:
        self.cluster = cluster

    def run(self, host: str, argv: Sequence[str], stdin: str = "", timeout_seconds: float = 30) -> Completed:
        if host in self.cluster.down:
            raise HostUnreachable(f"{host}: no answer")
        self.cluster.asked.append(f"{host} {' '.join(argv)[:60]}")
        if argv[0] == "holdfastctl" and argv[1] in self.cluster.refused:
            return Completed(1, "", "refused")
        return Completed(0, self._answer(host, list(argv)), "")

    def succeed(self, host: str, argv: Sequence[str], stdin: str = "", timeout_seconds: float = 30) -> str:
        return self.run(host, argv, stdin, timeout_seconds).stdout

    def _answer(self, host: str, argv: list[str]) -> str:
        if argv[0] == "holdfastctl" and argv[1] in ("stop", "start"):
            self.cluster.owner_state = {"stop": "stopped", "start": "owner"}[argv[1]]
        if argv[:2] == ["holdfastctl", "move"]:
            self.cluster.owner = argv[3]
            return "{}"
        if argv[-1] == "snapshot":
            sample = self.cluster.sample(host)
            state = {"packages": sample["packages"], "leftovers": self.cluster.leftovers, "failed_units": []}
            return json.dumps({"state": state, "macs": {MACS[host]: "client"}, "versions": {"kernel": "7.2"}})
        if argv[:2] == ["systemctl", "is-active"]:
            return "active" if self.cluster.probe_runs else "inactive"
        if argv[0] == "cat" and argv[1] == "/run/holdfast-drill/probe.json":
            return json.dumps({"run": "20260101T000000Z-owner_crash-erp"})
        if argv[:2] == ["python3", "-"] and argv[2] in ("amcheck", "checksums"):
            return json.dumps({"good": True, "words": f"{argv[2]} found nothing", "output": "all well", "seconds": 1})
        if argv[0] == "journalctl":
            return json.dumps({"MESSAGE": "all well", "__REALTIME_TIMESTAMP": str(int(time.time() * 1e6))}) + "\n"
        if argv[0] == "ip":
            return json.dumps([{"ifname": "client", "addr_info": [{"local": "10.20.0.101"}]}])
        if argv[0] == "env" and "final" in argv:
            return json.dumps({"label": argv[-1], "client": host, "t_wall": time.time(), "t_mono": 0, "rows": {"w1": []}})
        known = ("env", "holdfastctl", "tail", "test", "runuser", "python3", "systemd-run", "systemctl", "cat", "rm")
        assert argv[0] in known, f"unexpected command: {argv}"
        return ""


class FakeModules:
    def __init__(self, cluster: FakeCluster) -> None:
        self.cluster = cluster

    def run(self, hosts: Sequence[str], module: str, arguments: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        return {host: self._one(host, module, dict(arguments)) for host in hosts}

    def _one(self, host: str, module: str, arguments: dict[str, Any]) -> dict[str, Any]:
        self.cluster.asked.append(f"{host} {module.split('.')[-1]} {arguments.get('kind', '')} {arguments.get('state', '')}")
        if module.endswith("fault_write_info"):
            refused = host != self.cluster.owner
            return {"tries": [{"lun": "erp-data", "path": path, "refused": refused, "error": ""} for path in ("sdb", "sdc")]}
        assert module.endswith("fault"), f"unexpected module: {module}"
        return self._fault(host, arguments)

    def _fault(self, host: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments["state"] == "injected":
            self.cluster.active[arguments["id"]] = arguments
            if arguments["kind"] == "node_crash":
                self.cluster.boots[host] += 1
                self.cluster.owner = "node2" if self.cluster.takes_over and host == self.cluster.owner else self.cluster.owner
            return {"fault": {"active": True, "proof": "seen", "injected": time.time()}}
        if arguments["state"] == "healed":
            self.cluster.active.pop(arguments["id"], None)
            return {"fault": {"active": False, "proof": "undone", "injected": None, "effect": self.cluster.effect}}
        return {"fault": {"active": arguments["id"] in self.cluster.active, "proof": "asked", "injected": None}}


class FakePower:
    def __init__(self, cluster: FakeCluster) -> None:
        self.cluster = cluster

    def abilities(self) -> frozenset[str]:
        return frozenset({"power", "freeze", "cable"})

    def do(self, host: str, verb: str, network: str | None = None) -> str:
        self.cluster.asked.append(f"{host} power {verb}")
        (self.cluster.down.add if verb in ("off", "freeze") else self.cluster.down.discard)(host)
        return verb

    def unplugged(self, host: str, network: str) -> bool | None:
        return self.cluster.cable_is_out


class FakeDeadman:
    def __init__(self) -> None:
        self.promises: dict[str, str] = {}

    def promise(self, name: str, host: str, verb: str, network: str | None, ttl_seconds: float) -> None:
        self.promises[name] = verb

    def keep(self, name: str) -> None:
        self.promises.pop(name)


class FakeObservers(Observers):
    """Every look is a fresh sample, and each is recorded."""

    def __init__(self, cluster: FakeCluster, folder: Path) -> None:
        super().__init__(FakeShell(cluster), view(), folder)  # type: ignore[arg-type]
        self.cluster = cluster

    def start_nodes(self) -> None:
        self.streams = {host: _Still(self, host) for host in ("node1", "node2", "san1")}  # type: ignore[misc]

    def start_address(self, client: str, interface: str) -> None:
        assert interface == "client"

    def stop(self) -> None:
        """Nothing runs."""


class _Still:
    """In place of a stream: answers at once, unless the host is down."""

    def __init__(self, observers: FakeObservers, host: str) -> None:
        self.cluster, self.host, self.folder = observers.cluster, host, observers.folder
        self.ahead_seconds = 0.0

    @property
    def latest(self) -> dict[str, Any]:
        sample = self.cluster.sample(self.host)
        if self.host.startswith("node") and self.host not in self.cluster.down:
            with (self.folder / "samples" / f"node-{self.host}.jsonl").open("a") as file:
                file.write(json.dumps(sample) + "\n")
        return sample

    def silent(self) -> bool:
        return self.host in self.cluster.down


class CalmProbe(Probe):
    """Clients are served all the time."""

    calm_seconds = 99.0  # type: ignore[assignment]

    def start(self) -> None:
        self.status = {"waits": {"w1": 0.01}, "ok": 1, "fail": 0, "indeterminate": 0}


def build_drill(runbook: Runbook, cluster: FakeCluster, folder: Path, answer: str | None = "yes", **words: Any) -> Drill:
    for name in ("probe", "samples", "events", "logs", "reservations", "state"):
        (folder / name).mkdir(exist_ok=True)
    site = view()
    drill = Drill(
        site, bind_roles(site, "node1"), folder, folder,
        FakeShell(cluster), FakeModules(cluster), FakePower(cluster), FakeDeadman(),  # type: ignore[arg-type]
        Journal(folder / "journal.jsonl"), FakeObservers(cluster, folder), lambda question: answer,
        runbook=runbook, **words,
    )  # fmt: skip
    drill.probe = CalmProbe(drill.shell, site, "client1", "run")
    return drill


def journal_of(folder: Path, kind: str) -> list[dict[str, Any]]:
    entries = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    return [entry for entry in entries if entry["kind"] == kind]
