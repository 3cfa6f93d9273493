"""What the I/O layer tells the state machine: one frozen value per thing seen or done.

Every event concerns one package; what concerns the whole node (a heartbeat, a witness report) is handed to the machine
of every package. Results carry the `id` of the command they answer (see actions.py). A result whose id is not the one
awaited is ignored by the machine, so the I/O layer reports late results without sorting them out. Times are seconds
of one monotonic clock of the node, given to `step` as `now`; no event carries wall-clock time.

Unit attentions (field notes 6.3: 2A/03, 2A/05, 29/xx, 2F/00) are absorbed by the I/O layer with a retry of the same
command; they are neither `CONFLICT` nor `ERROR` here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Problem(StrEnum):
    """Why a LUN could not be read; `NONE` when it could."""

    NONE = "none"
    NO_PATHS = "no_paths"
    """Every path of the LUN is gone (transport down). Not the same as lost: the keys may still be there."""
    TIMEOUT = "timeout"
    """No answer before the command's deadline: slow storage, a hang, or a stalled child."""
    ERROR = "error"
    """Any other error: sense data we do not know, EIO, a malformed answer."""


class Outcome(StrEnum):
    """How a command ended."""

    OK = "ok"
    CONFLICT = "conflict"
    """RESERVATION CONFLICT status, or EBADE from a write."""
    NO_PATHS = "no_paths"
    TIMEOUT = "timeout"
    """The deadline passed and the effect is unknown: the machine reads the keys before it believes anything."""
    EXPIRED = "expired"
    """`not_after` had passed before the command was sent, so it was not sent (the node was stalled)."""
    ERROR = "error"
    """It failed, with `detail` for people. For resource commands: start, stop or mount failed."""


class Flag(StrEnum):
    """What the note on the lock LUN says about the package; see `Note`."""

    OWNED = "owned"
    RELEASED = "released"
    """Stopped in order and given up by `key`: positive proof that skips the wait. `target` may be named."""
    STOPPED = "stopped"
    """Stopped by an operator: nobody starts it until a person says so."""
    FAILED = "failed"
    """Left down by the flap limit or because no node could start it; `reason` says which."""
    MAINTENANCE = "maintenance"
    DETACHED = "detached"


@dataclass(frozen=True, slots=True)
class Note:
    """The record on the lock LUN that every node can read and only registrants can write (one 512-byte sector).

    `term` counts ownerships: it grows by one with each new owner, so that an old message can be told from a new one.
    `failure_ages` are the unplanned moves of the flap period as seconds before *this reading*: the I/O layer stores
    wall-clock stamps and converts, clamping negative ages to 0, so a clock jump can only age a failure wrongly.
    """

    flag: Flag
    key: int
    term: int
    target: str | None = None
    """RELEASED: the node that is to start it. MAINTENANCE after a partial start: the step up to which it was started."""
    reason: str = ""
    failure_ages: tuple[float, ...] = ()
    failed_nodes: tuple[str, ...] = ()
    """Nodes on which the package could not be started since it last ran; cleared by the next good start."""
    previous: str | None = None
    """On a planned move, the node that gave it up: where a failed switchover rolls back to."""


@dataclass(frozen=True, slots=True)
class Beat:
    """What the owner's defend write leaves in its own sector of the lock LUN: a heartbeat through the array."""

    key: int
    counter: int
    serving: bool = True
    """False: the owner cannot reach its witness and asks to be relieved; it does not defend."""


@dataclass(frozen=True, slots=True)
class LunView:
    """One LUN as READ FULL STATUS shows it through any one live path."""

    lun: str
    problem: Problem = Problem.NONE
    keys: tuple[int, ...] = ()
    """All registered keys, once per I_T nexus as the target lists them (duplicates kept)."""
    holder: int | None = None
    """Key of the reservation holder; None when there is no reservation."""
    type: int = 5
    """Reservation type, SPC-4 table: 5 = Write Exclusive - Registrants Only. Meaningless while holder is None."""
    generation: int = 0
    """PRGENERATION: counts changes; a value below the one read before means that the array restarted."""
    paths_up: int = 1
    """Live paths of this node to the LUN."""
    paths_registered: int = 1
    """How many of them carry this node's own key."""
    registered_keys_here: tuple[int, ...] = ()
    """Keys found on this node's own nexuses, if READ FULL STATUS told; finds own keys of an earlier start."""


@dataclass(frozen=True, slots=True)
class PeerView:
    """What a peer's heartbeat says about this package: the `summary` of its machine, sent as it is."""

    state: str
    key: int
    term: int
    can_serve: bool
    """Standby, witness reachable, lock LUN readable, not failed there."""
    storage_ok: bool = True
    """False: all its paths are gone."""


@dataclass(frozen=True, slots=True)
class Boot:
    """First event of a machine's life, after an agent start, before anything else.

    `active` is what was found on the node: a volume of the package is active, mounted or one of its processes runs.
    """

    active: bool
    fresh: bool
    """True when this is the first agent start since the node booted."""
    proven_at: float | None = None
    """`last_proof` of the agent before this one, on the same clock; None where nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed. Sent at `next_deadline(state)` or every `Timers.tick`, whichever comes first."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Answer to `Observe`. `write` is None when no defend write was asked for; `data` is empty when not asked for.

    The lock LUN is read first, then the write is done, then the data LUNs are read (in parallel).
    """

    id: int
    lock: LunView
    data: tuple[LunView, ...] = ()
    write: Outcome | None = None
    note: Note | None = None
    """None: the sector is blank or unreadable."""
    beat: Beat | None = None
    """The beat of the current holder; None when blank, unreadable, or when there is no holder."""


@dataclass(frozen=True, slots=True)
class Done:
    """Answer to every other command that carries an id."""

    id: int
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PeerHeard:
    """A sign of life of a peer on any network: a heartbeat (with `view`) or a VRRP advertisement (view None).

    The machine measures silence itself from these; the I/O layer may pass on one per peer and tick instead of each.
    """

    node: str
    view: PeerView | None = None


@dataclass(frozen=True, slots=True)
class PeerReleased:
    """A peer announced that it released the package in order. Only a hint to look now: the note is the proof."""

    node: str
    term: int


@dataclass(frozen=True, slots=True)
class NetworkSeen:
    """Result of the client network check: link of the own client interface and whether any witness answered."""

    link_up: bool
    witness: bool


@dataclass(frozen=True, slots=True)
class ResourceHealth:
    """Health of one running resource. The I/O layer watches a resource from its start's OK until its stop."""

    name: str
    healthy: bool
    detail: str = ""


class Verb(StrEnum):
    """What an operator can ask for; the verbs of holdfastctl."""

    START = "start"
    STOP = "stop"
    MOVE = "move"
    MAINTENANCE_ON = "maintenance on"
    MAINTENANCE_OFF = "maintenance off"
    DETACH = "detach"
    ATTACH = "attach"
    FAILBACK = "failback"
    FORGET_FAILURES = "forget-failures"
    REJOIN = "rejoin"
    CONFIRM_DEAD = "confirm-dead"


@dataclass(frozen=True, slots=True)
class Command:
    """An operator's command. It is answered by exactly one `Reply` with the same id, at once or when it is done."""

    id: int
    verb: Verb
    target: str | None = None
    """For MOVE: the node, or None for the best one. For CONFIRM_DEAD: the node that was seen to be without power."""
    up_to: str | None = None
    """For START: the step up to which it is started (see state.MOUNT), then left in maintenance; None: everything."""


Event = Boot | Tick | Observed | Done | PeerHeard | PeerReleased | NetworkSeen | ResourceHealth | Command
