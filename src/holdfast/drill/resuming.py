"""A run whose controller died: what is left of it, by its own journal, and how the next controller takes it up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.drill.errors import Refused
from holdfast.drill.plan import PlannedFault, Roles
from holdfast.drill.runbook.faults import load_fault_kinds
from holdfast.drill.runbook.model import FaultStep

if TYPE_CHECKING:
    from holdfast.drill.run import Run


@dataclass(frozen=True)
class Remains:
    """`faults` were announced and not undone, `commands` (verb to host) given and not taken back, `steps_open` of the act
    have no end, `last` is the journal's last word."""

    run: Mapping[str, Any]
    journal: tuple[dict[str, Any], ...]
    faults: tuple[PlannedFault, ...]
    steps_open: tuple[str, ...]
    acted: bool
    last: float
    commands: Mapping[str, str]


def read_remains(folder: Path) -> Remains:
    """From run.json and journal.jsonl. Refused where there is nothing to take up."""
    try:
        run = json.loads((folder / "run.json").read_text())
        lines = (folder / "journal.jsonl").read_text().splitlines()
    except (OSError, ValueError) as error:
        raise Refused(f"{folder} is not the evidence of a run that could be resumed: {error}") from error
    return find_remains(run, read_lines(lines))


def read_lines(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Entries of a journal; the line that was being written when the controller died is no entry."""
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def find_remains(run: Mapping[str, Any], journal: list[dict[str, Any]]) -> Remains:
    """Pure: what is still open by the journal."""
    undone = {entry["id"] for entry in journal if entry["kind"] == "heal"}
    faults = [rebuild_fault(entry) for entry in journal if entry["kind"] == "intent" and entry["id"] not in undone]
    ended = {e["name"] for e in journal if e["kind"] == "step" and e["event"] == "end" and e["phase"] == "act"}
    acted = any(e["kind"] == "phase" and e["name"] == "act" and e["event"] == "start" for e in journal)
    steps = [name for name in run.get("steps", ()) if name not in ended]
    commands: dict[str, str] = {}
    for entry in (entry for entry in journal if entry["kind"] == "command"):
        commands.pop(entry["verb"], None)
        commands |= {entry["verb"]: entry["host"]} if entry["event"] == "given" else {}
    last = float(journal[-1]["t_wall"]) if journal else 0.0
    return Remains(run, tuple(journal), tuple(faults), tuple(steps), acted, last, commands)


def rebuild_fault(entry: Mapping[str, Any]) -> PlannedFault:
    """A fault as its announcement describes it."""
    kind = load_fault_kinds()[entry["fault"]]
    step = FaultStep(entry["step"], kind.name, entry["role"], entry["parameters"], entry["ttl_seconds"], "driver")
    return PlannedFault(entry["id"], step, entry["host"], kind.layer, kind.takes_node_down, entry["parameters"],
                        entry["ttl_seconds"], tuple(entry.get("undone_by", ())))  # fmt: skip


def roles_of(run: Mapping[str, Any], nodes: tuple[str, ...]) -> Roles:
    """The roles as the dead controller had bound them."""
    roles = run["roles"]
    return Roles(roles["owner"], roles["standby"], roles.get("array"), roles.get("client"), nodes)


def take_up(run: Run, remains: Remains) -> None:
    """Watch again, and know what has to be undone."""
    run.run = dict(remains.run)
    run.faults.active = {fault.id: fault for fault in remains.faults}
    run.actions.taken = dict(remains.commands)
    run.measures = True
    run.journal.write("resumed", since=remains.last)
    run.observers.start_nodes()
    run.observers.expect_paths(_state_before(run.folder), run.view.name)


def _state_before(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / "state" / "before.json").read_text())
    except (OSError, ValueError):
        return {}
    return found
