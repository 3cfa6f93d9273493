"""docs/reference/agent.md: states, findings, notes and status, from the agent's own enumerations."""

from __future__ import annotations

import ast
from pathlib import Path

from holdfast_agent.core.events import Flag, Outcome, Problem
from holdfast_agent.core.judge import Finding
from holdfast_agent.core.state import PROVEN, Evidence, PackageConfig, State

from holdfast.docs.reference import meanings
from holdfast.docs.reference.markdown import code, page, table

_ABOUT = """One agent runs on every node (`holdfast-agent.service`), with one state machine per package. How the states follow
each other and why is told in [ownership](../ownership.md); what the words in a status or a log line mean, here."""
_STATES = """A state is a node's own view: two nodes show two states for one package. The lines below come from
`agent/holdfast_agent/core/state.py`."""
_EVIDENCE = """Why a node may try to take a package. What accuses a living owner costs the wait W and needs the own witness;
proof skips it. That a node is dead an agent only learns from a person (`holdfastctl confirm-dead`); it asks no power
controller."""
_FINDINGS = "What one round of the owner can find, the worst first, and what is done (`core/judge.py`, `core/rounds.py`)."
_NOTES = """The record on the lock LUN that every node can read and only the owner can write. It also carries the term, the
reason, the target of a move and the failures that still count."""
_FILES = (
    ("`/etc/holdfast/node.json`, `/etc/holdfast/packages/*.json`", "what the agent reads; written by role `package`"),
    ("`/etc/holdfast/cluster.key`", "authenticates heartbeats (HMAC-SHA256)"),
    ("`/var/log/holdfast/events.jsonl`, `.jsonl.1`", "[event log](event_log.md), 32 MiB each at most"),
    ("`/var/log/holdfast/<package>-<resource>.log`, `.log.1`", "what a database said; looked at every ten minutes, and kept to "
                                                             "about 32 MiB each"),
    ("`/var/lib/holdfast/epoch`", "number of agent starts; part of the reservation key. Never copy or delete it while "
                                  "the cluster lives"),
    ("`/run/holdfast/control.sock`", "where `holdfastctl` asks; root alone"),
    ("`/run/holdfast/vip/<package>`", "`0`: keepalived may carry the addresses here; anything else: it may not"),
    ("`/run/holdfast/verified/<package>`", "when this node last proved its ownership, in seconds of the monotonic clock"),
    ("`/usr/lib/holdfast/agent`", "link to the agent's code, `agent-<digest>`"),
)  # fmt: skip


def render_agent(root: Path) -> str:
    """The whole page."""
    config = PackageConfig.__dataclass_fields__
    return page(
        "Agent: states, findings, notes, status", "`agent/holdfast_agent`", _ABOUT,
        "## States", _STATES, _states(),
        "## Evidence", _EVIDENCE, _evidence(),
        "## Findings of the owner's round", _FINDINGS, _two("Finding", Finding, meanings.FINDINGS),
        "## Note on the lock LUN", _NOTES, _two("Note", Flag, meanings.NOTES),
        "## How a storage or work command can end",
        f"Outcomes: {', '.join(map(code, Outcome))}. Why a LUN could not be read: {', '.join(map(code, Problem))}. "
        "`timeout` means that the effect is unknown; the keys are read before anything is believed.",
        "## Limits",
        table(("Limit", "Value"), [
            ("restarts of a resource in place before the package moves",
             f"{config['restart_limit'].default} within {config['restart_period'].default:g} s"),
            ("tries to start one resource on a node before the package moves", str(config["start_tries"].default)),
            ("unplanned moves before the package is left down",
             f"{config['flap_limit'].default} within {config['flap_period'].default:g} s"),
        ]),
        "## Status document", "`holdfastctl status --json`, per package; the table form shows the same in short.",
        table(("Key", "Meaning"), [(code(name), words) for name, words in _status(root)]),
        "## Files", table(("File on a node", "What"), _FILES),
    )  # fmt: skip


def _states() -> str:
    rows = meanings.explained(State, meanings.STATES, "STATES")
    cells = [(code(name), words, meanings.REGISTRATIONS[name]) for name, words in rows]
    return table(("State", "Meaning", "Registered on"), cells)


def _evidence() -> str:
    rows = [(str(evidence), "nothing: proof" if evidence in PROVEN else "the wait W") for evidence in Evidence]
    return table(("Evidence", "Costs"), rows)


def _two(head: str, names: type[Finding] | type[Flag], words: dict[str, str]) -> str:
    return table((head, "Meaning"), [(code(name), text) for name, text in meanings.explained(names, words, head)])


def _status(root: Path) -> list[tuple[str, str]]:
    """Keys of the dictionary that `package_status` returns."""
    tree = ast.parse((root / "agent/holdfast_agent/daemon/status.py").read_text(encoding="utf-8"))
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "package_status")
    value = next(node.value for node in function.body if isinstance(node, ast.Return))
    keys = value.keys if isinstance(value, ast.Dict) else []
    return meanings.explained([str(key.value) for key in keys if isinstance(key, ast.Constant)], meanings.STATUS, "STATUS")
