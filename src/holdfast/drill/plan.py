"""A runbook bound to a cluster: who is who, what exactly is injected where, and why a drill cannot run here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.drill.errors import DrillError
from holdfast.drill.runbook.faults import load_fault_kinds
from holdfast.drill.runbook.model import FaultStep, Runbook, Step, WaitStep
from holdfast.drill.view import ClusterView

PHASES = (
    "reset",
    "steady_before",
    "observe",
    "act",
    "heal",
    "steady_after",
    "log_scan",
    "collect",
    "verdict",
)


@dataclass(frozen=True)
class Roles:
    """Hosts by role, bound once at the start."""

    owner: str
    standby: str
    array: str | None
    client: str | None
    all_nodes: tuple[str, ...]

    def hosts(self, role: str) -> tuple[str, ...]:
        """The hosts that a role means; DrillError where there is none."""
        if role == "all_nodes":
            return self.all_nodes
        host = self.standby if role == "any_standby" else getattr(self, role)
        if not host:
            raise DrillError(f"this site has no host in the role {role}")
        return (host,)

    def as_mapping(self) -> dict[str, str]:
        found = {"owner": self.owner, "standby": self.standby, "any_standby": self.standby,
                 "array": self.array, "client": self.client}  # fmt: skip
        return {role: host for role, host in found.items() if host}


def bind_roles(view: ClusterView, owner: str) -> Roles:
    """The standby is the next node in the package's own order."""
    others = [node for node in view.nodes if node != owner]
    if not others:
        raise DrillError(f"package {view.name} has no second node")
    return Roles(owner, others[0], view.array[0] if view.array else None,
                 view.clients[0] if view.clients else None, view.nodes)  # fmt: skip


@dataclass(frozen=True)
class PlannedFault:
    """One fault on one host with everything the module needs."""

    id: str
    step: FaultStep
    host: str
    layer: str
    takes_node_down: bool
    parameters: Mapping[str, Any]
    ttl_seconds: float
    undone_by: tuple[str, ...] = ()
    """Other hosts that have to undo it as well, because it moves with the package."""


def plan_faults(step: FaultStep, view: ClusterView, roles: Roles) -> list[PlannedFault]:
    """One per host that the target means."""
    kind = load_fault_kinds()[step.kind]
    hosts = roles.hosts(step.target)
    return [
        PlannedFault(
            step.id if len(hosts) == 1 else f"{step.id}_{host}",
            step,
            host,
            kind.layer,
            kind.takes_node_down,
            resolve_parameters(step.kind, step.parameters, view, roles, host),
            step.ttl_seconds,
            tuple(node for node in view.nodes if node != host) if kind.on_shared_disks else (),
        )
        for host in hosts
    ]


def resolve_parameters(kind: str, parameters: Mapping[str, Any], view: ClusterView, roles: Roles, host: str) -> dict[str, Any]:
    """Runbook words (networks, roles) as the module's words (addresses of this host and of its peers)."""
    given = dict(parameters)
    if kind == "all_paths_cut":
        given["network"] = "storage"
    if kind == "cable_pull":
        network = _networks(given["network"], view)[0]
        if network not in view.hosts[host].addresses:
            raise DrillError(f"{host} is not on the network {network}")
        return {"network": network, "address": view.hosts[host].addresses[network]}
    if "network" not in given:
        return given
    networks = [n for n in _networks(given.pop("network"), view) if n in view.hosts[host].addresses]
    if not networks:
        raise DrillError(f"{host} has none of the networks that {kind} needs")
    given["addresses"] = [view.hosts[host].addresses[n] for n in networks]
    if given.get("peers"):
        peers = [peer for role in given["peers"] for peer in roles.hosts(role)]
        given["peers"] = [view.hosts[p].addresses[n] for p in peers for n in networks if n in view.hosts[p].addresses]
    return given


def _networks(role: str, view: ClusterView) -> list[str]:
    storage = list(view.storage_networks)
    found = {
        "client": [view.client_network],
        "heartbeat": [n for n in view.heartbeat_networks if n != view.client_network],
        "between_nodes": list(view.heartbeat_networks),
        "storage": storage,
        "storage_first": storage[:1],
        "storage_second": storage[1:2],
    }[role]
    if not found:
        raise DrillError(f"this site has no network in the role {role}")
    return found


def obstacles(runbook: Runbook, view: ClusterView, able: frozenset[str]) -> Iterator[str]:
    """Why this drill cannot run on this site; nothing when it can. `able` is what the power method can do."""
    wanted = runbook.applies_to
    if len(view.nodes) < wanted.nodes_minimum:
        yield f"needs {wanted.nodes_minimum} nodes, there are {len(view.nodes)}"
    if wanted.resources and not view.resource_types() & set(wanted.resources):
        yield f"needs a resource of type {' or '.join(wanted.resources)}"
    if not view.clients:
        yield "needs a host in the group clients to measure from"
    if runbook.measure_through == "pooler" and not view.poolers:
        yield "measures through a pooler, and the package has none"
    if "second_storage_network" in wanted.needs and len(view.storage_networks) < 2:
        yield "needs a second storage network"
    for ability in ("power", "freeze", "cable"):
        if ability in wanted.needs and ability not in able:
            yield f"needs a way to control {ability}, and the inventory names none"


def describe_plan(runbook: Runbook, view: ClusterView, roles: Roles) -> str:
    """What a dry run prints: hosts instead of roles, limits instead of names."""
    lines = [f"{runbook.title}", f"  {runbook.purpose}", ""]
    lines.append(f"package {view.name} of cluster {view.cluster}: owner {roles.owner}, standby {roles.standby}, "
                 f"array {roles.array}, measured from {roles.client}")  # fmt: skip
    lines.append(f"allowed: outage {limit_words(runbook, view)}, moves at most {runbook.expect.moves}")
    for phase in PHASES:
        lines.append(f"{phase.replace('_', ' ')}:")
        lines += [f"  {line}" for line in _phase_lines(phase, runbook, view, roles)]
    return "\n".join(lines)


def limit_words(runbook: Runbook, view: ClusterView) -> str:
    """The limit of the outage with its number."""
    outage = runbook.expect.outage
    if isinstance(outage, str):
        seconds = view.package.get("objectives", {}).get(f"{outage}_seconds")
        return f"{outage} ({seconds:g} s)" if seconds is not None else outage
    return f"{outage:g} s"


def _phase_lines(phase: str, runbook: Runbook, view: ClusterView, roles: Roles) -> list[str]:
    fixed = {
        "reset": ["no fault, rule or timer of an earlier drill is left"],
        "steady_before": [f"entrance: {', '.join(runbook.entrance)}"],
        "observe": ["start the probe, the observers of all nodes and of the address"],
        "heal": ["undo every fault; switch on what is off; always, whatever came before"],
        "steady_after": [*(_step_line(s, view, roles) for s in runbook.restore),
                         "try a write on every path of every node", f"move the package back to {roles.owner}"],
        "log_scan": ["read the logs of all nodes since the start"],
        "collect": ["bring all records into the evidence folder"],
        "verdict": ["judge the records, write the report"],
    }  # fmt: skip
    return fixed.get(phase) or [_step_line(step, view, roles) for step in runbook.steps]


def _step_line(step: Step, view: ClusterView, roles: Roles) -> str:
    action = step.action
    if isinstance(action, FaultStep):
        faults = plan_faults(action, view, roles)
        detail = "; ".join(f"{f.host} {dict(f.parameters) or ''}".strip() for f in faults)
        return f"{step.name}  [{action.kind} at {detail}; undone by the node after {action.ttl_seconds:g} s]"
    if isinstance(action, WaitStep):
        return f"{step.name}  [at most {max(action.timeout_seconds, action.seconds):g} s]"
    return step.name
