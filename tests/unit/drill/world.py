"""A small simulated cluster that leaves an evidence folder just as a real drill does.

It is driven by a list of things that happen (``Happening``), from which every record is derived: probe attempts,
samples of every node, ARP answers, agent events, log lines, journal. The tests of the verdict and of the report read
these folders, so the loader is tested with them.
"""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass, field
from pathlib import Path

from holdfast.drill.runbook.model import Expectation, Runbook

START = 1_790_000_000.0
CLUSTER_BITS = 0xA1B2C3D4
MACS = {"node1": "02:00:00:00:00:0b", "node2": "02:00:00:00:00:0c"}
IDS = {"node1": 1, "node2": 2}
VIP = "10.20.0.50"


def key(node: str, epoch: int = 1) -> str:
    return f"0x{CLUSTER_BITS << 32 | IDS[node] << 24 | epoch:016x}"


@dataclass
class NodeState:
    up: bool = True
    frozen: bool = False
    boot: int = 1
    mounted: bool = False
    address: bool = False
    paths: int = 2


@dataclass
class World:
    """The state of everything at one instant, changed by the happenings."""

    nodes: dict[str, NodeState] = field(default_factory=lambda: {"node1": NodeState(), "node2": NodeState()})
    keys: list[str] = field(default_factory=list)
    holder: str | None = None
    serving: bool = True
    held: bool = False
    """Poolers hold clients back: their next transaction begins when they are let go."""
    latency: float = 0.006

    def own(self, node: str, epoch: int = 1) -> None:
        """`node` holds the reservation, the mount and the address, and serves."""
        self.keys, self.holder, self.serving, self.held = [key(node, epoch)] * 2, key(node, epoch), True, False
        for name, state in self.nodes.items():
            state.mounted = state.address = name == node


@dataclass(frozen=True)
class Happening:
    """Something that changes the world, `at` seconds after the start; and what the agent of `node` writes about it."""

    at: float
    change: dict[str, object]
    node: str | None = None
    event: str = ""
    state: str = ""
    reason: str = ""
    extra: dict[str, object] = field(default_factory=dict)


@dataclass
class Script:
    """A whole drill: happenings, phases, steps and faults with their times relative to the start."""

    runbook: Runbook
    happenings: list[Happening]
    phases: list[tuple[str, float, float]]
    steps: list[dict[str, object]]
    faults: list[dict[str, object]]
    write_tries: list[dict[str, object]] = field(default_factory=list)
    log: list[tuple[float, str, str, str]] = field(default_factory=list)
    length: float = 60.0


def apply(world: World, change: dict[str, object]) -> None:
    """`{"own": node}`, `{"serving": bool}`, `{"node1.up": False}`, `{"keys": [...], "holder": ...}`."""
    for name, value in change.items():
        if name == "own":
            world.own(*value) if isinstance(value, tuple) else world.own(str(value))
        elif "." in name:
            node, attribute = name.split(".")
            setattr(world.nodes[node], attribute, value)
        else:
            setattr(world, name, value)


class Recorder:
    """Plays a script and writes the folder."""

    def __init__(self, script: Script, root: Path, seed: int = 7, pause: float = 0.02) -> None:
        self.script, self.root, self.random, self.pause = script, root, random.Random(seed), pause
        self.files: dict[str, list[str]] = {}

    def line(self, name: str, record: dict[str, object]) -> None:
        self.files.setdefault(name, []).append(json.dumps(record))

    def record(self) -> None:
        world = World()
        world.own("node1")
        pending = sorted(self.script.happenings, key=lambda h: h.at)
        workers = {f"w{n}": [0.0, 0] for n in range(1, 5)} | {f"r{n}": [0.0, 0] for n in (1, 2)}
        self.rows: dict[str, list[list[int]]] = {w: [] for w in workers if w[0] == "w"}
        acknowledged: dict[str, int] = {}
        tick = 0
        while tick * 0.01 < self.script.length:
            now = tick * 0.01
            while pending and pending[0].at <= now:
                self._happen(world, pending.pop(0))
            if tick % 25 == 0:
                self._sample(world, now)
            if tick % 20 == 0:
                self._arp(world, now)
            for worker, state in workers.items():
                if state[0] <= now and self._inside(now) and not world.held:
                    self._attempt(world, worker, state, now, acknowledged)
            tick += 1
        self._finish()

    def _inside(self, now: float) -> bool:
        return 2.0 <= now <= self.script.length - 4.0

    def _happen(self, world: World, happening: Happening) -> None:
        apply(world, happening.change)
        if happening.event:
            at = START + happening.at
            self.line(f"events/{happening.node}.jsonl", {
                "t_mono": happening.at, "t_wall": at, "node": happening.node, "package": "erp",
                "event": happening.event, "state": happening.state, "reason": happening.reason, **happening.extra,
            })  # fmt: skip

    def _attempt(self, world: World, worker: str, state: list[float], now: float, acked: dict[str, int]) -> None:
        state[1] += 1
        seq, role = int(state[1]), "writer" if worker[0] == "w" else "reader"
        rows = 5 if role == "writer" and worker == "w4" else 1
        took = abs(self.random.gauss(world.latency, world.latency / 4)) + 0.001
        record: dict[str, object] = {
            "client": "client1", "worker": worker, "role": role, "seq": seq, "rows": rows, "t_mono": now,
            "t_wall": START + now,
        }  # fmt: skip
        if world.serving:
            record |= {"seconds": round(took, 4), "outcome": "ok"}
            if role == "writer":
                acked[worker] = seq
                self._row(worker, seq, rows)
            else:
                record["seen"] = dict(acked)
        elif self.random.random() < 0.2:
            took = 0.5
            record |= {"seconds": took, "outcome": "indeterminate", "stage": "commit", "error": "timeout expired"}
        else:
            took = 0.3
            record |= {"seconds": took, "outcome": "fail", "stage": "connect", "error": "connection refused"}
        state[0] = now + took + self.pause
        self.line("probe/attempts-client1.jsonl", record)

    def _row(self, worker: str, seq: int, rows: int) -> None:
        ranges = self.rows[worker]
        if ranges and ranges[-1][1] == seq - 1:
            ranges[-1][1] = seq
        else:
            ranges.append([seq, seq, rows])

    def _sample(self, world: World, now: float) -> None:
        for node, state in world.nodes.items():
            if not state.up or state.frozen:
                continue
            own = [k for k in world.keys if int(k, 16) >> 24 & 0xFF == IDS[node]]
            error = "" if state.paths else "no path answered"
            lun = {"keys": [] if error else sorted(set(world.keys)), "holder": None if error else world.holder,
                   "paths": state.paths, "registered": len(own), "error": error}  # fmt: skip
            self.line(f"samples/node-{node}.jsonl", {
                "t_wall": START + now, "t_mono": now, "node": node, "boot_id": f"{node}-{state.boot}",
                "packages": {"erp": {"mounted": state.mounted, "addresses": [VIP] if state.address else [],
                                     "database": state.mounted, "luns": {"erp-lock": lun, "erp-data": lun}}},
            })  # fmt: skip

    def _arp(self, world: World, now: float) -> None:
        macs = [MACS[n] for n, s in world.nodes.items() if s.up and not s.frozen and s.address]
        self.line("samples/address-client1.jsonl", {
            "t_wall": START + now, "t_mono": now, "client": "client1", "address": VIP, "macs": macs,
        })  # fmt: skip

    def _finish(self) -> None:
        script = self.script
        for label, at in (("after_act", script.length - 6), ("after_restore", script.length - 2)):
            final = {"label": label, "client": "client1", "t_wall": START + at, "t_mono": at, "rows": self.rows}
            self.files[f"probe/final-{label}.json"] = [json.dumps(final)]
        entries: list[tuple[float, dict[str, object]]] = []
        for name, begin, end in script.phases:
            entries += [(begin, {"kind": "phase", "name": name, "event": "start"}),
                        (end, {"kind": "phase", "name": name, "event": "end"})]  # fmt: skip
        for step in script.steps:
            at = float(str(step["ended"]))
            body = {k: v for k, v in step.items() if k not in ("ended", "started")}
            begin = START + float(str(step["started"]))
            entries.append((at, {"kind": "step", "event": "end", "started": begin, **body}))
        entries += self._fault_entries()
        entries += [(script.length - 8, {"kind": "write_try", "time": START + script.length - 8, **w})
                    for w in script.write_tries]  # fmt: skip
        entries += [(script.length - 4, {"kind": "integrity", "tool": tool, "good": True, "words": f"{tool} found nothing",
                                         "seconds": 1.0}) for tool in script.runbook.integrity]  # fmt: skip
        for at, entry in sorted(entries, key=lambda pair: pair[0]):
            self.line("journal.jsonl", {"t_wall": START + at, "t_mono": at, **entry})
        for node in IDS:
            self.line(f"logs/{node}.jsonl", _log(node, 1.0, "systemd", "Started holdfast-agent.service"))
        for at, node, source, text in script.log:
            self.line(f"logs/{node}.jsonl", _log(node, at, source, text))
        luns = {lun: {"paths": 2, "registered": 2, "error": ""} for lun in ("erp-lock", "erp-data")}
        state = {n: {"packages": {"erp": {"mounted": n == "node1", "luns": luns}}, "leftovers": []} for n in IDS}
        self.files["state/before.json"] = self.files["state/after.json"] = [json.dumps(state)]
        self.files["run.json"] = [json.dumps(self._run(), indent=1)]
        for name, lines in self.files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(lines) + "\n")

    def _fault_entries(self) -> list[tuple[float, dict[str, object]]]:
        entries = []
        for fault in self.script.faults:
            injected, healed = float(str(fault["injected"])), float(str(fault["healed"]))
            body = {k: v for k, v in fault.items() if k not in ("healed", "by")}
            entries.append((injected, {"kind": "fault", **body, "injected": START + injected}))
            entries.append((healed, {"kind": "heal", "id": fault["id"], "healed": START + healed, "by": fault["by"]}))
        return entries

    def _run(self) -> dict[str, object]:
        runbook = self.script.runbook
        return {
            "schema": 1, "runbook": runbook.name, "title": runbook.title, "purpose": runbook.purpose,
            "category": runbook.category, "started": START, "ended": START + self.script.length, "cluster": "lab",
            "package": "erp", "addresses": [VIP], "digest": "5f2c9e0d77ab",
            "objectives": {"switchover_seconds": 3, "takeover_seconds": 5, "lost_transactions": 0},
            "roles": {"owner": "node1", "standby": "node2", "any_standby": "node2", "array": "san1",
                      "client": "client1"},
            "node_ids": IDS, "macs": {mac: node for node, mac in MACS.items()}, "clocks": {},
            "expect": asdict(runbook.expect), "faults_declared": len(self.script.faults),
            "steps": [step.name for step in runbook.steps], "integrity": list(runbook.integrity),
            "versions": {"holdfast": "0.1.0", "node1": {"kernel": "Linux 7.2.0", "postgresql": "17.6",
                         "multipath-tools": "0.11.1", "keepalived": "2.3.3"},
                         "node2": {"kernel": "Linux 7.2.0", "postgresql": "17.6", "multipath-tools": "0.11.1",
                                   "keepalived": "2.3.3"}},
            "git": {"revision": "1614120c0ffee", "dirty": False}, "user": "erp-admin", "controller": "ops1",
            "command_line": ["./holdfast", "drill", "run", runbook.name],
            "probe": {"writers": 4, "readers": 2, "connect_timeout_seconds": 0.5, "statement_timeout_seconds": 1.0},
        }  # fmt: skip


def _log(node: str, at: float, source: str, text: str) -> dict[str, object]:
    return {"node": node, "t_wall": START + at, "t_mono": at, "source": source, "text": text}


def phases(act: float, heal: float, length: float) -> list[tuple[str, float, float]]:
    """The phases of a drill around an act from `act` to `heal`."""
    return [("reset", 0.0, 0.4), ("steady_before", 0.4, 2.0), ("observe", 2.0, act - 0.5), ("act", act, heal),
            ("heal", heal, heal + 0.6), ("steady_after", heal + 0.6, length - 3), ("log_scan", length - 3, length - 2),
            ("collect", length - 2, length - 1), ("verdict", length - 1, length)]  # fmt: skip


def expectation(**changes: object) -> Expectation:
    return Expectation(**{"owner": "standby", "outage": "takeover", **changes})  # type: ignore[arg-type]
