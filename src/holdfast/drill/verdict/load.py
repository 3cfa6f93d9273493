"""The evidence folder as a history.

What cannot be read is named in ``lost`` and makes the verdict UNKNOWN; it never stops the other evidence from being
read. Times of other hosts are put on the controller's time axis here, and only here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from holdfast.drill.runbook.model import Expectation
from holdfast.drill.verdict.erp_record import ErpRecord
from holdfast.drill.verdict.history import (
    AddressSample,
    AgentEvent,
    Attempt,
    FaultRecord,
    FinalRead,
    History,
    IntegrityRecord,
    LoadSample,
    LogLine,
    LunView,
    NodeSample,
    PhaseRecord,
    StepRecord,
    WriteTry,
)
from holdfast.drill.verdict.load_erp import load_erp_record
from holdfast.drill.verdict.timeaxis import TimeAxis


@dataclass
class Folder:
    """Reads files and remembers what was not there."""

    root: Path
    lost: list[str] = field(default_factory=list)

    def document(self, name: str) -> Any:
        try:
            return json.loads((self.root / name).read_text())
        except (OSError, ValueError) as error:
            self.lost.append(f"{name}: {_why(error)}")
            return {}

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """JSON lines. A torn last line is what a crash leaves and is skipped; any other damage is lost evidence."""
        try:
            text = (self.root / name).read_text(errors="replace").splitlines()
        except OSError as error:
            self.lost.append(f"{name}: {_why(error)}")
            return
        for number, line in enumerate(text, 1):
            try:
                yield json.loads(line)
            except ValueError:
                if number < len(text):
                    self.lost.append(f"{name}:{number}: not JSON")

    def names(self, pattern: str) -> list[str]:
        found = sorted(str(path.relative_to(self.root)) for path in self.root.glob(pattern))
        if not found:
            self.lost.append(f"{pattern}: nothing there")
        return found


def _why(error: Exception) -> str:
    return "not there" if isinstance(error, FileNotFoundError) else f"{type(error).__name__}: {error}"


def load_history(root: Path) -> History:
    """Read everything a finished (or torn) run left."""
    folder = Folder(root)
    run = folder.document("run.json")
    journal = list(folder.lines("journal.jsonl"))
    package = run.get("package", "")
    faults = _load_faults(journal)
    axis = TimeAxis.build(run.get("clocks", {}), faults)
    samples = list(_load_samples(folder, axis, package))
    history = History(
        run=run,
        expect=load_expectation(run.get("expect", {})),
        objectives=run.get("objectives", {}),
        roles=run.get("roles", {}),
        node_ids=run.get("node_ids", {}),
        macs=run.get("macs", {}),
        attempts=tuple(_load_attempts(folder, axis)),
        finals=tuple(_load_final(folder, axis, name) for name in folder.names("probe/final-*.json")),
        samples=tuple(samples),
        address_samples=tuple(_load_addresses(folder, axis)),
        faults=tuple(place_crash(fault, samples) for fault in faults),
        steps=tuple(_load_steps(journal)),
        phases=tuple(_load_phases(journal)),
        writes=tuple(WriteTry(**_body(entry)) for entry in journal if entry["kind"] == "write_try"),
        events=tuple(_load_events(folder, axis)),
        log=tuple(_load_log(folder, axis)),
        state_before=folder.document("state/before.json"),
        state_after=folder.document("state/after.json"),
        lost=(),
        erp=load_erp_record(folder, axis) if run.get("erp") else ErpRecord(),
        integrity=tuple(_load_integrity(journal)),
        load=tuple(_load_background(folder, axis, run)) if run.get("load") else (),
    )
    noted = [entry["what"] for entry in journal if entry["kind"] == "lost"]
    return _with_lost(history, (*folder.lost, *noted))


def _with_lost(history: History, lost: tuple[str, ...]) -> History:
    return History(**{**history.__dict__, "lost": lost})


def _body(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in ("kind", "t_wall", "t_mono")}


def load_expectation(raw: Mapping[str, Any]) -> Expectation:
    """An expectation as run.json holds it."""
    lists = {key: tuple(raw.get(key, ())) for key in ("resets", "may_reset", "log_patterns_allowed")}
    rest = {key: value for key, value in raw.items() if key not in lists}
    return Expectation(**{"owner": "either", "outage": "none", **rest, **lists})


def _load_phases(journal: list[dict[str, Any]]) -> Iterator[PhaseRecord]:
    started: dict[str, float] = {}
    for entry in journal:
        if entry["kind"] == "phase" and entry["event"] == "start":
            started[entry["name"]] = entry["t_wall"]
        elif entry["kind"] == "phase":
            yield PhaseRecord(entry["name"], started.pop(entry["name"], entry["t_wall"]), entry["t_wall"])


def _load_steps(journal: list[dict[str, Any]]) -> Iterator[StepRecord]:
    for entry in journal:
        if entry["kind"] == "step" and entry["event"] == "end":
            yield StepRecord(entry["phase"], entry["name"], entry["action"], entry["started"], entry["t_wall"],
                             entry["outcome"], entry.get("detail", ""))  # fmt: skip


def _load_faults(journal: list[dict[str, Any]]) -> list[FaultRecord]:
    """A fault's entry, completed by later proofs and by its first heal."""
    found: dict[str, dict[str, Any]] = {}
    announced: dict[str, float] = {}
    for entry in journal:
        if entry["kind"] == "intent":
            announced[entry["id"]] = entry["t_wall"]
        elif entry["kind"] == "fault":
            found[entry["id"]] = {"kind": entry["fault"], **{k: v for k, v in _body(entry).items() if k != "fault"},
                                  "announced": announced.get(entry["id"])}  # fmt: skip
        elif entry["kind"] == "proof" and entry["id"] in found:
            found[entry["id"]].update(active=entry["active"], proof=entry["proof"])
        elif entry["kind"] == "heal" and entry["id"] in found and found[entry["id"]].get("healed") is None:
            found[entry["id"]].update(healed=entry["healed"], healed_by=entry["by"])
    return [FaultRecord(**entry) for entry in found.values()]


def place_crash(fault: FaultRecord, samples: list[NodeSample]) -> FaultRecord:
    """A node that goes down cannot say when: it was just after its last sample. The driver hears of it much later."""
    if not fault.takes_node_down or fault.announced is None:
        return fault
    alive = [s.time for s in samples if s.node == fault.host and fault.announced <= s.time <= fault.injected]
    return replace(fault, injected=max(alive)) if alive else fault


def _load_attempts(folder: Folder, axis: TimeAxis) -> Iterator[Attempt]:
    for name in folder.names("probe/attempts-*.jsonl"):
        for line in folder.lines(name):
            start = axis.place(line["client"], line)
            yield Attempt(line["worker"], line["role"], line["seq"], line["rows"], start,
                          start + line["seconds"], line["outcome"], line.get("stage", ""), line.get("error", ""),
                          line.get("seen", {}))  # fmt: skip


def _load_final(folder: Folder, axis: TimeAxis, name: str) -> FinalRead:
    raw = folder.document(name)
    if not raw:
        return FinalRead(Path(name).stem, 0.0, {})
    rows = {worker: dict(_expand(ranges)) for worker, ranges in raw["rows"].items()}
    return FinalRead(raw["label"], axis.place(raw["client"], raw), rows)


def _expand(ranges: list[list[int]]) -> Iterator[tuple[int, int]]:
    """``[first, last, rows]``: transactions in a row with the same number of rows."""
    for first, last, count in ranges:
        for seq in range(first, last + 1):
            yield seq, count


def _load_samples(folder: Folder, axis: TimeAxis, package: str) -> Iterator[NodeSample]:
    for name in folder.names("samples/node-*.jsonl"):
        for line in folder.lines(name):
            seen = line["packages"].get(package)
            if seen is None:
                continue
            luns = {
                lun: LunView(frozenset(v["keys"]), v["holder"], v["paths"], v["registered"], v["error"], v.get("age", 0.0))
                for lun, v in seen["luns"].items()
            }
            yield NodeSample(line["node"], axis.place(line["node"], line), line["boot_id"], seen["mounted"],
                             frozenset(seen["addresses"]), luns, seen["database"])  # fmt: skip


def _load_addresses(folder: Folder, axis: TimeAxis) -> Iterator[AddressSample]:
    for name in folder.names("samples/address-*.jsonl"):
        for line in folder.lines(name):
            yield AddressSample(axis.place(line["client"], line), line["address"], frozenset(line["macs"]))


def _load_events(folder: Folder, axis: TimeAxis) -> Iterator[AgentEvent]:
    for name in folder.names("events/*.jsonl"):
        for line in folder.lines(name):
            node = line.get("node") or Path(name).stem
            known = ("t_mono", "t_wall", "node", "package", "event", "state", "reason")
            data = {key: value for key, value in line.items() if key not in known}
            yield AgentEvent(node, axis.place(node, line), line.get("package"), line.get("event", ""),
                             line.get("state") or "", line.get("reason") or "", data)  # fmt: skip


def _load_integrity(journal: list[dict[str, Any]]) -> Iterator[IntegrityRecord]:
    for entry in (entry for entry in journal if entry["kind"] == "integrity"):
        yield IntegrityRecord(entry["tool"], entry["t_wall"], entry["good"], entry["words"], entry.get("seconds", 0.0))


# pgbench with --progress-timestamp (manual, pgbench): "progress: 1795802369.325 s, 53.0 tps, lat 5.058 ms ...".
PROGRESS = re.compile(r"^progress: (\d+\.\d+) s, (\d+(?:\.\d+)?) tps", re.MULTILINE)


def _load_background(folder: Folder, axis: TimeAxis, run: Mapping[str, Any]) -> Iterator[LoadSample]:
    try:
        text = (folder.root / "load" / "pgbench.log").read_text(errors="replace")
    except OSError as error:
        folder.lost.append(f"load/pgbench.log: {_why(error)}")
        return
    client = str(run.get("roles", {}).get("client", ""))
    for wall, tps in PROGRESS.findall(text):
        yield LoadSample(axis.place(client, {"t_wall": float(wall)}), float(tps))


def _load_log(folder: Folder, axis: TimeAxis) -> Iterator[LogLine]:
    for name in folder.names("logs/*.jsonl"):
        for line in folder.lines(name):
            yield LogLine(line["node"], axis.place(line["node"], line), line["source"], line["text"])
