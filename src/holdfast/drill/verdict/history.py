"""What a drill recorded, frozen. All times are seconds of the controller's wall clock, already corrected per host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.drill.runbook.model import Expectation
from holdfast.drill.verdict.erp_record import ErpRecord


@dataclass(frozen=True)
class Attempt:
    """One transaction of one probe worker. `outcome` is ok, fail (surely not committed) or indeterminate."""

    worker: str
    role: str
    seq: int
    rows: int
    start: float
    end: float
    outcome: str
    stage: str = ""
    error: str = ""
    seen: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class FinalRead:
    """Rows found at the end, per worker: sequence number to number of rows of that transaction."""

    label: str
    time: float
    rows: Mapping[str, Mapping[int, int]]


@dataclass(frozen=True)
class LunView:
    """One LUN as one node sees it through all of its paths. `error` where no path answered, `age` of the answer in s."""

    keys: frozenset[str]
    holder: str | None
    paths: int = 0
    paths_registered: int = 0
    error: str = ""
    age: float = 0.0


@dataclass(frozen=True)
class NodeSample:
    """What one node saw of the package at one moment: mounted, addresses of it that are up, database listening, LUNs by name."""

    node: str
    time: float
    boot_id: str
    mounted: bool
    addresses: frozenset[str]
    luns: Mapping[str, LunView]
    database: bool = False


@dataclass(frozen=True)
class AddressSample:
    """One ARP question of the client, and every hardware address that answered it."""

    time: float
    address: str
    macs: frozenset[str]


@dataclass(frozen=True)
class FaultRecord:
    """`announced` is when the driver began to inject it, `injected` when the host says that it was done."""

    id: str
    kind: str
    role: str
    host: str
    injected: float
    active: bool | None
    proof: str = ""
    healed: float | None = None
    healed_by: str = ""
    takes_node_down: bool = False
    announced: float | None = None


@dataclass(frozen=True)
class StepRecord:
    """`outcome`: ok, failed (the cluster said no), error (the driver broke), not_run."""

    phase: str
    name: str
    kind: str
    started: float
    ended: float
    outcome: str
    detail: str = ""


@dataclass(frozen=True)
class PhaseRecord:
    """One phase of the run (see plan.PHASES), from when to when."""

    name: str
    started: float
    ended: float


@dataclass(frozen=True)
class WriteTry:
    """A write through one path of one LUN. `refused` is None where it neither succeeded nor was refused."""

    node: str
    lun: str
    path: str
    time: float
    refused: bool | None
    expected_refused: bool
    error: str = ""


@dataclass(frozen=True)
class AgentEvent:
    """One line of an agent's event log (docs/reference/event_log.md): `data` is what the event has beside the rest."""

    node: str
    time: float
    package: str | None
    event: str
    state: str
    reason: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LogLine:
    """One line of a node's journal; `source` is the program that wrote it."""

    node: str
    time: float
    source: str
    text: str


@dataclass(frozen=True)
class IntegrityRecord:
    """What a tool of the database found in its data; `good` is None where it could not say."""

    tool: str
    time: float
    good: bool | None
    words: str
    seconds: float = 0.0


@dataclass(frozen=True)
class LoadSample:
    """One second of the background load, by its own count."""

    time: float
    tps: float


@dataclass(frozen=True)
class Takeover:
    """The agent's own budget of the last move: phase name to seconds."""

    node: str
    cause: str
    phases: Mapping[str, float]
    total_seconds: float


@dataclass(frozen=True)
class History:
    """Everything the checks may look at. `lost` names evidence that should be here and is not."""

    run: Mapping[str, Any]
    expect: Expectation
    objectives: Mapping[str, float]
    roles: Mapping[str, str]
    node_ids: Mapping[str, int]
    macs: Mapping[str, str]
    attempts: tuple[Attempt, ...] = ()
    finals: tuple[FinalRead, ...] = ()
    samples: tuple[NodeSample, ...] = ()
    address_samples: tuple[AddressSample, ...] = ()
    faults: tuple[FaultRecord, ...] = ()
    steps: tuple[StepRecord, ...] = ()
    phases: tuple[PhaseRecord, ...] = ()
    writes: tuple[WriteTry, ...] = ()
    events: tuple[AgentEvent, ...] = ()
    log: tuple[LogLine, ...] = ()
    state_before: Mapping[str, Any] = field(default_factory=dict)
    state_after: Mapping[str, Any] = field(default_factory=dict)
    lost: tuple[str, ...] = ()
    erp: ErpRecord = field(default_factory=ErpRecord)
    integrity: tuple[IntegrityRecord, ...] = ()
    load: tuple[LoadSample, ...] = ()

    @property
    def nodes(self) -> tuple[str, ...]:
        return tuple(self.node_ids)

    def phase(self, name: str) -> PhaseRecord | None:
        """None where the run did not get that far."""
        return next((phase for phase in self.phases if phase.name == name), None)

    @property
    def act_start(self) -> float | None:
        """When the first step began; None where there was no act."""
        act = self.phase("act")
        return act.started if act else None

    @property
    def act_cut_short(self) -> bool:
        """The act ended because a person or a broken driver ended it: what it should have led to was never due."""
        outcomes = {step.outcome for step in self.steps if step.phase == "act"}
        return "failed" not in outcomes and not outcomes <= {"ok"}

    @property
    def zero(self) -> float:
        """What people count from: the first fault, or else the beginning of the act."""
        first = min((fault.injected for fault in self.faults), default=None)
        return first or self.act_start or float(self.run.get("started") or 0)

    @property
    def takeovers(self) -> tuple[Takeover, ...]:
        """Moves during the act, in order, with the agents' own budgets."""
        act, heal = self.phase("act"), self.phase("heal")
        until = heal.ended if heal else float("inf")
        found = [e for e in self.events if e.event == "takeover" and act and act.started <= e.time <= until]
        return tuple(_takeover(event) for event in sorted(found, key=lambda e: e.time))

    def host_of(self, role: str) -> str:
        """The host that had this role when the run began; a name of a host is its own."""
        return self.roles.get(role, role)

    def hosts_of(self, roles: tuple[str, ...]) -> frozenset[str]:
        """The same for several, where all_nodes is every node."""
        hosts = {self.host_of(role) for role in roles}
        return frozenset(hosts - {"all_nodes"} | (set(self.nodes) if "all_nodes" in roles else set()))


def _takeover(event: AgentEvent) -> Takeover:
    phases = {name: float(seconds) for name, seconds in event.data.get("phases", {}).items()}
    return Takeover(event.node, str(event.data.get("cause", "")), phases, float(event.data.get("total_seconds", 0)))


def node_of_key(key: str) -> int:
    """Node id in a reservation key: bits 31..24 (the layout of keys is part of the package's definition)."""
    return (int(key, 16) >> 24) & 0xFF
