"""The value a machine is: configuration, public state, internal step and everything it remembers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from holdfast_agent.core.actions import Action, Luns, StorageCommand, WorkCommand
from holdfast_agent.core.events import Beat, LunView, Note, PeerView, Verb
from holdfast_agent.core.timers import Timers


class State(StrEnum):
    """What an operator sees."""

    STOPPED = "stopped"
    STANDBY = "standby"
    CHALLENGING = "challenging"
    STARTING = "starting"
    OWNER = "owner"
    STOPPING = "stopping"
    EJECTED = "ejected"
    MAINTENANCE = "maintenance"
    DETACHED = "detached"
    FAILED = "failed"


class Step(StrEnum):
    """Where inside a state a machine is. The storage channel works through these in order."""

    IDLE = "idle"
    REGISTER = "register"
    WAIT = "wait"
    STRIKE = "strike"
    DOUBT = "doubt"
    WITHDRAW = "withdraw"
    RECHECK = "recheck"
    REGISTER_LOCK = "register lock"
    SWEEP = "sweep"
    REGISTER_DATA = "register data"
    CHECK_LOCK = "check lock"
    PREEMPT_DATA = "preempt data"
    RESERVE_DATA = "reserve data"
    WRITE_NOTE = "write note"
    VERIFY = "verify"
    BACK_OUT_DATA = "back out of data"
    BACK_OUT_LOCK = "back out of lock"
    RUN = "run"
    """The package is (being) mounted here: rounds on the storage channel, the plan on the work channel."""
    RELEASE_NOTE = "release note"
    RELEASE_DATA = "release data"
    RELEASE_LOCK = "release lock"
    CLEAN_UP = "clean up"
    INSPECT = "inspect"
    ADOPT = "adopt"


class Repair(StrEnum):
    """Sub-sequence of the storage channel while the package is mounted here; NONE: ordinary rounds."""

    NONE = "none"
    SUSPEND = "suspend"
    REGISTER_LOCK = "register lock"
    RESERVE_LOCK = "reserve lock"
    REGISTER_DATA = "register data"
    RESERVE_DATA = "reserve data"
    VERIFY = "verify"
    RESUME = "resume"
    DEFEND = "defend"
    PREEMPT_DATA = "preempt data"
    NOTE = "note"


class Evidence(StrEnum):
    """Why a node may try to take a package. The first five accuse a living key and cost the wait W."""

    SILENT = "silent on every network"
    BEAT = "its beat on the lock LUN stands still"
    STORAGE = "it says that its storage is gone"
    ISOLATED = "it asks to be relieved: its witness is out of reach"
    UNOWNED = "nobody holds the lock LUN"
    DEAD = "its node is confirmed dead"
    RELEASED = "released in order"
    OWN_PAST = "held by an earlier start of this node"
    OPERATOR = "started by an operator"


MOUNT = "mount"
"""The first step of a start, before every resource: activated and mounted."""
PROVEN = frozenset({Evidence.DEAD, Evidence.RELEASED, Evidence.OWN_PAST, Evidence.OPERATOR})
"""Positive proof that no other node has the package running: skips W (DESIGN section 5)."""


class Goal(StrEnum):
    """What an ordered stop is for."""

    RELEASE = "release"
    STOP = "stop"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class PackageConfig:
    """What a machine has to know about its package, its node and its cluster; made from the node's JSON files."""

    name: str
    node: str
    node_ids: tuple[tuple[str, int], ...]
    """Nodes that may run the package, in order of preference, with their ids."""
    key: int
    """This agent start's key."""
    resources: tuple[str, ...]
    timers: Timers
    auto_start: bool = True
    failback: str = "manual"
    flap_limit: int = 8
    """Unplanned moves within `flap_period` after which the package is left down (I7)."""
    flap_period: float = 3600.0
    restart_limit: int = 3
    """Restarts in place within `restart_period` before the package moves."""
    restart_period: float = 600.0
    start_tries: int = 2
    """Tries to start one resource here before the package moves."""

    @property
    def nodes(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.node_ids)

    @property
    def steps(self) -> tuple[str, ...]:
        """What a start goes through, in order; a partial start ends with one of them."""
        return (MOUNT, *self.resources)

    def resources_up_to(self, step: str | None) -> tuple[str, ...]:
        """Resources that a start up to this step starts; all of them for None."""
        return self.resources if step is None else self.resources[: self.steps.index(step)]


@dataclass(frozen=True, slots=True)
class Peer:
    """What is known about another node."""

    node: str
    heard_at: float
    heard_ever: bool = False
    view: PeerView | None = None
    viewed_at: float = 0.0
    dead: bool = False
    heard_since: float = 0.0
    """First beat after the last silence."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """One attempt to take the lock LUN. `mark` identifies the evidence, so that the same one is not used twice."""

    evidence: Evidence
    mark: tuple[object, ...]
    victim: int | None
    """Key of the holder to preempt; None: nobody holds it, RESERVE decides."""
    node: str | None
    """Node of the victim."""
    wait_until: float = 0.0
    fresh_after: float = 0.0
    """The strike needs an observation that was asked for after this moment."""
    doubts: int = 0


@dataclass(frozen=True, slots=True)
class StoragePending:
    command: StorageCommand
    asked_at: float


@dataclass(frozen=True, slots=True)
class WorkPending:
    command: WorkCommand


@dataclass(frozen=True, slots=True)
class Work:
    """One entry of the plan of the work channel."""

    kind: str
    """activate, start, stop, deactivate, kill, check"""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An operator's command whose answer is due when the state machine gets there."""

    id: int
    verb: Verb


@dataclass(frozen=True)
class MachineState:
    """One package on one node. Immutable: `step` returns a new one."""

    config: PackageConfig
    now: float
    state: State = State.STANDBY
    step: Step = Step.IDLE
    repair: Repair = Repair.NONE
    reason: str = "not booted"
    since: float = 0.0
    booted: bool = False
    key: int = 0
    """The key in use: the agent start's own, or the adopted one of a package that kept running over an agent start."""
    next_id: int = 1
    storage: StoragePending | None = None
    work: WorkPending | None = None
    plan: tuple[Work, ...] = ()

    # what was seen
    peers: tuple[Peer, ...] = ()
    witness: bool | None = None
    witness_since: float = 0.0
    lock: LunView | None = None
    """Last readable view of the lock LUN."""
    lock_at: float = -1e9
    """When that observation was asked for."""
    lock_readable: bool = False
    look_due: bool = False
    """What `lock` shows is older than the end of a challenge of this node: no new one before the next look."""
    note: Note | None = None
    beat: Beat | None = None
    beat_moved_at: float = 0.0
    unowned_since: float | None = None
    past_on_data: tuple[int, ...] = ()
    """Keys of earlier starts of this node that the last look at the data LUNs showed."""

    # what this node has done to the array and to itself
    on_lock: bool = False
    """A registration of ours may be on the lock LUN."""
    on_data: bool = False
    holds_data: bool = False
    """A data LUN may be reserved by our key: it stays so until the next owner preempts it (see stopping.py)."""
    active: bool = False
    """Something of the package may be active, mounted or running here."""
    suspended: bool = False
    """Maps of the data LUNs may be suspended."""
    writes_held: bool = False
    """They are: nothing that was written before reaches the array."""
    address: bool = False
    term: int = 0
    counter: int = 0

    # rounds
    poll_at: float = 0.0
    """When the storage channel is next to observe, if nothing else is to do."""
    owned_at: float = -1e9
    """When the last look before the mount (or at adoption) showed the own key alone."""
    verified_at: float = -1e9
    unverified_since: float | None = None
    unverified_gone: bool = False
    """The last unverified round failed because every path is gone (and not because it was slow)."""
    stalled: bool = False
    """A stall was seen and no round has been verified since."""
    tripped: bool = False
    fed_until: float = -1e9

    # challenge and move
    challenge: Challenge | None = None
    spent: tuple[tuple[object, ...], ...] = ()
    """Marks of evidence that lost a challenge: no new challenge without new evidence."""
    hold_until: float = -1e9
    """No new challenge before this moment: the last one failed after the lock LUN was won."""
    forgiven_term: int = 0
    """Failures in notes up to this term were forgotten by an operator."""
    override_term: int | None = None
    """A person overrode the note of this term (maintenance, detached, stopped, failed)."""
    up_to: str | None = None
    """Started only up to this step, by an operator: without its address, and kept in maintenance."""
    unplanned: bool = False
    planned_from: str | None = None
    """The node that gave the package to us in a planned move: where a failed start rolls back to."""

    # stop
    goal: Goal = Goal.RELEASE
    target: str | None = None
    giving_up: bool = False
    """This node wants to get rid of the package (failed or isolated): it does not defend."""

    # failures
    tries: int = 0
    restarts: tuple[float, ...] = ()
    failures: tuple[float, ...] = ()
    failed_nodes: tuple[str, ...] = ()
    unhealthy: frozenset[str] = frozenset()
    waiting: Waiting | None = None
    pending_note: Note | None = None
    """Note of the Repair.NOTE step: maintenance on or off, detach, attach."""


ActionList = tuple[Action, ...]
LOCK, DATA = Luns.LOCK, Luns.DATA
