"""Whether the cluster is in service again, decided from what was just seen. Pure."""

from __future__ import annotations

import math
from dataclasses import replace

from holdfast.drill.conditions import Seen, fulfilled, owners
from holdfast.drill.runbook.model import WaitStep
from holdfast.drill.view import ClusterView

# Clients count as served after so long without an error.
CALM_SECONDS = 2.0


def missing(view: ClusterView, seen: Seen) -> str:
    """What is not yet as it should be, in words; empty where the package is in service with everything it needs: one
    owner, every other node ready, all paths, clients served for a moment without an error."""
    silent = [node for node in view.nodes if node not in seen.nodes or not seen.nodes[node].reachable]
    if silent:
        return f"{', '.join(silent)} not reachable"
    found = owners(view.name, seen)
    if len(found) != 1:
        return f"{len(found)} owners; {_states(view, seen)}"
    unready = [node for node in view.nodes if node not in found and seen.nodes[node].state(view.name) != "standby"]
    if unready:
        return f"{', '.join(unready)} not ready; {_states(view, seen)}"
    # A round holds its faults for longer than clients need to notice them: the calm counts from where it began.
    seen = replace(seen, waited_seconds=math.inf)
    for wait, targets in ((WaitStep("paths_complete", "all_nodes", None, 0, None, 1), view.nodes),
                          (WaitStep("clients_served", None, None, CALM_SECONDS, None, 1), ())):  # fmt: skip
        good, words = fulfilled(wait, view.name, targets, seen)
        if not good:
            return words
    return ""


def _states(view: ClusterView, seen: Seen) -> str:
    words = []
    for node in view.nodes:
        reason = str(seen.nodes[node].package(view.name).get("reason") or "")
        words.append(f"{node} {seen.nodes[node].state(view.name)}" + (f" ({reason[:120]})" if reason else ""))
    return ", ".join(words)
