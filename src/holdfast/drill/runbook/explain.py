"""`drill list` and `drill explain`: what each drill does and expects, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill

from holdfast.drill.runbook.catalogue import Catalogue
from holdfast.drill.runbook.faults import load_fault_kinds
from holdfast.drill.runbook.model import FaultStep, Runbook, WaitStep

WIDTH = 100


def list_runbooks(catalogue: Catalogue, reasons: Mapping[str, Sequence[str]] | None = None) -> str:
    """One line per runbook, by category; `reasons` why one cannot run on a site stand below it."""
    lines: list[str] = []
    category = ""
    for runbook in catalogue.ordered():
        if runbook.category != category:
            category = runbook.category
            lines += ["", f"{category}:"]
        lines.append(f"  {runbook.name:31} {runbook.disruption:7} {runbook.title}")
        lines += [f"  {'':39} not here: {reason}" for reason in (reasons or {}).get(runbook.name, ())]
    return "\n".join(lines[1:])


def explain_runbook(runbook: Runbook) -> str:
    """The whole runbook, with the proof and the heal of each fault."""
    lines = [f"{runbook.name}: {runbook.title}", "", fill(runbook.purpose, WIDTH), "", "Steps:"]
    for number, step in enumerate(runbook.steps, 1):
        lines.append(f"  {number}. {step.name}")
        lines += [f"     {line}" for line in _details(step.action)]
    lines += ["", "Expected:", *(f"  {line}" for line in expectations(runbook))]
    lines += ["", f"Clients feel, when all goes well: {runbook.disruption}."]
    lines += [f"Called elsewhere: {product}: {', '.join(names)}" for product, names in runbook.known_as.items()]
    lines += [f"Has to notice: {', '.join(word.replace('_', ' ') for word in runbook.must_catch)}."]
    return "\n".join(lines)


def _details(action: object) -> list[str]:
    if isinstance(action, FaultStep):
        kind = load_fault_kinds()[action.kind]
        last = {"power": "by a guard process of the controller", "node": "by a timer on the node"}[kind.layer]
        late = [] if kind.takes_node_down and kind.layer == "node" else [f"at the latest: {last} after {action.ttl_seconds:g} s"]
        return [kind.summary, f"proof: {kind.proof}", f"undone: {kind.heal}", *late]
    if isinstance(action, WaitStep) and action.what != "seconds":
        return [f"within {action.timeout_seconds:g} s"]
    return []


def expectations(runbook: Runbook) -> list[str]:
    """The expectations as sentences."""
    expect = runbook.expect
    outage = expect.outage if isinstance(expect.outage, str) else f"{expect.outage:g} s"
    lines = [
        f"owner in the end: {expect.owner} (roles are those of the start)",
        f"outage at most: {outage}" + (" (the package's objective)" if outage in ("takeover", "switchover") else ""),
        f"moves at most: {expect.moves}; errors that clients see: {expect.client_errors}",
        f"restarts: {', '.join(expect.resets) or 'none'}"
        + (f"; allowed: {', '.join(expect.may_reset)}" if expect.may_reset else ""),
        "always: no acknowledged transaction lost, one writer, one address, address with the data, state as before",
    ]
    if expect.address_overlap_seconds:
        lines.append(f"the old owner may answer for the address for {expect.address_overlap_seconds:g} s")
    return lines
