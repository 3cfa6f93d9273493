"""What a wait waits for, decided from what was just seen. Pure: the asking is done by the driver."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.drill.runbook.model import WaitStep

# A worker that has had no success for this long is not being served; five times its statement deadline would be late.
SERVED_WITHIN_SECONDS = 1.0
TRANSIENT_STATES = ("challenging", "starting", "stopping")
# The node has the package mounted and its reservation, whether or not anybody watches the package there.
KEEPING_STATES = ("owner", "maintenance", "detached")


@dataclass(frozen=True)
class NodeSeen:
    """One host at one moment. `status` is the agent's own document, None where no agent answers; an array has none."""

    reachable: bool
    status: Mapping[str, Any] | None = None
    snapshot: Mapping[str, Any] | None = None
    has_agent: bool = True

    def package(self, name: str) -> Mapping[str, Any]:
        """The agent's entry of a package; empty where there is none, or no agent."""
        found: Mapping[str, Any] = (self.status or {}).get("packages", {}).get(name, {})
        return found

    def state(self, package: str) -> str:
        """The package's state in the agent's words (docs/reference/agent.md); `no agent` where none answers, `answers` for a
        host that needs none, empty for a package that the agent does not know."""
        if not self.has_agent:
            return "answers"
        return str(self.package(package).get("state", "")) if self.status else "no agent"


@dataclass(frozen=True)
class Seen:
    """All hosts, and the probe's status with the time for which it has been free of errors."""

    nodes: Mapping[str, NodeSeen] = field(default_factory=dict)
    probe: Mapping[str, Any] = field(default_factory=dict)
    calm_seconds: float = 0.0
    waited_seconds: float = 0.0
    fault_active: bool | None = None


Answer = tuple[bool, str]


def fulfilled(step: WaitStep, package: str, targets: tuple[str, ...], seen: Seen) -> Answer:
    """Whether the awaited state is there, and what there is instead."""
    return CONDITIONS[step.what](step, package, targets, seen)


def owners(package: str, seen: Seen) -> list[str]:
    """Nodes whose agents say that they own it; more than one is what must never be."""
    return [name for name, node in seen.nodes.items() if node.state(package) == "owner"]


def keepers(package: str, seen: Seen) -> list[str]:
    """Nodes that hold the package, watched or not."""
    return [name for name, node in seen.nodes.items() if node.state(package) in KEEPING_STATES]


def _states(package: str, seen: Seen) -> str:
    words = (f"{n} {seen.nodes[n].state(package) if seen.nodes[n].reachable else 'unreachable'}" for n in seen.nodes)
    return ", ".join(words)


def _package_owned(step: WaitStep, package: str, targets: tuple[str, ...], seen: Seen) -> Answer:
    return any(t in owners(package, seen) for t in targets), _states(package, seen)


def _package_up(step: WaitStep, package: str, targets: tuple[str, ...], seen: Seen) -> Answer:
    return bool(owners(package, seen)), _states(package, seen)


def _package_down(step: WaitStep, package: str, targets: tuple[str, ...], seen: Seen) -> Answer:
    running = [n.state(package) for n in seen.nodes.values() if n.state(package) in ("owner", *TRANSIENT_STATES)]
    reasons = [n.package(package).get("reason") for n in seen.nodes.values() if n.status]
    return not running and any(reasons), _states(package, seen)


def _node_down(step: WaitStep, package: str, targets: tuple[str, ...], seen: Seen) -> Answer:
    return all(not seen.nodes[t].reachable for t in targets), _states(package, seen)


def _node_up(step: WaitStep, package: str, targets: tuple[str, ...], seen: Seen) -> Answer:
    """The array has no agent; for it an answer is enough."""
    good = all(seen.nodes[t].reachable and (seen.nodes[t].status is not None or not _is_node(t, seen)) for t in targets)
    return good, _states(package, seen)


def _is_node(host: str, seen: Seen) -> bool:
    snapshot = seen.nodes[host].snapshot
    return snapshot is None or "packages" in snapshot.get("state", {})


def _node_standby(step: WaitStep, package: str, targets: tuple[str, ...], seen: Seen) -> Answer:
    """A node that has just booted is a standby for a second before it has read the lock LUN: a move to it is refused."""
    unable = [t for t in targets if not seen.nodes[t].package(package).get("can_serve", True)]
    good, words = _node_state(step, package, targets, seen)
    return good and not unable, words + "".join(f"; {name} could not take over" for name in unable)


def _node_state(step: WaitStep, package: str, targets: tuple[str, ...], seen: Seen) -> Answer:
    wanted = (step.state or "standby").split("|")
    return all(seen.nodes[t].state(package) in wanted for t in targets), _states(package, seen)


def _paths_complete(step: WaitStep, package: str, targets: tuple[str, ...], seen: Seen) -> Answer:
    incomplete: list[str] = []
    for target in targets:
        snapshot = seen.nodes[target].snapshot or {}
        luns = snapshot.get("state", {}).get("packages", {}).get(package, {}).get("luns", {})
        owner = target in owners(package, seen)
        incomplete += [f"{target} {lun}: {view['paths']} paths, {view['registered']} registered {view['error']}".strip()
                       for lun, view in luns.items() if not _complete(view, owner)]  # fmt: skip
        incomplete += [] if luns else [f"{target}: not observed"]
    return not incomplete, "; ".join(incomplete) or "all paths are there"


def _complete(view: Mapping[str, Any], owner: bool) -> bool:
    if view["error"] or view["paths"] < int(view.get("paths_expected", 1)):
        return False
    return view["registered"] >= view["paths"] if owner else True


def _clients_served(step: WaitStep, package: str, targets: tuple[str, ...], seen: Seen) -> Answer:
    waits = seen.probe.get("waits", {})
    slow = {worker: wait for worker, wait in waits.items() if wait > SERVED_WITHIN_SECONDS}
    if seen.probe.get("broken"):
        return False, f"the probe is broken: {seen.probe['broken']}"
    # Counted since the wait began: clients who hang had no error so far, and the success before it was the old server's.
    calm = min(seen.calm_seconds, seen.waited_seconds)
    words = f"without error for {calm:.1f} s; last error: {seen.probe.get('last_error') or 'none'}"
    return bool(waits) and not slow and calm >= step.seconds, words


def _seconds(step: WaitStep, package: str, targets: tuple[str, ...], seen: Seen) -> Answer:
    return seen.waited_seconds >= step.seconds, f"{seen.waited_seconds:.0f} of {step.seconds:g} s"


def _fault_healed(step: WaitStep, package: str, targets: tuple[str, ...], seen: Seen) -> Answer:
    return seen.fault_active is False, f"fault {step.fault} is {'active' if seen.fault_active else 'not proven healed'}"


CONDITIONS: dict[str, Callable[[WaitStep, str, tuple[str, ...], Seen], Answer]] = {
    "package_owned": _package_owned,
    "package_up": _package_up,
    "package_down": _package_down,
    "node_down": _node_down,
    "node_up": _node_up,
    "node_standby": _node_standby,
    "node_state": _node_state,
    "paths_complete": _paths_complete,
    "clients_served": _clients_served,
    "fault_healed": _fault_healed,
    "seconds": _seconds,
}
