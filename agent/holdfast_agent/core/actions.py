"""What the state machine asks of the I/O layer: one frozen value per command.

Commands that carry an `id` are answered by one event with that id: `Observed` for `Observe`, `Done` for the rest.
At most one command of the storage channel and one of the work channel are under way per package; the I/O layer runs
the two channels side by side, each in a child with a deadline. A command of the storage channel is never queued
behind one of the work channel (a start that hangs must not stop the defence).
When a new command comes for a channel whose last one has not ended, the machine has abandoned the last one: its child
is killed, or known never to send anything any more, before the new command starts. `KillDatabase` relies on this.

`not_after` is a moment of the node's monotonic clock. The child compares it right before the command leaves; later
than that the command is not sent and `EXPIRED` is answered. It narrows what a node that was frozen between deciding
and doing can still do; what remains is harmless by the order of the steps (see machine.py).

`deadline` is when the machine stops waiting; a result after it is ignored. Actions are in the order to be started.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from holdfast_agent.core.events import Note


class Luns(StrEnum):
    """Which LUNs of the package a storage command is for."""

    LOCK = "lock"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class Observe:
    """Storage. Read keys, holder, note and beat of the lock LUN; then `write` the beat (direct, through multipath);
    then with `data` read keys and holder of every data LUN. A conflict of the write is not retried on another path."""

    id: int
    deadline: float
    write: bool = False
    counter: int = 0
    serving: bool = True
    data: bool = False


@dataclass(frozen=True, slots=True)
class Register:
    """Storage. Plain REGISTER (reservation key 0, APTPL) of `key` on every live path of the LUNs, in parallel.

    A path that already carries `key` counts as done. A path that carries an older key of this node (`replaces`) is
    re-keyed by REGISTER with that key; never REGISTER AND IGNORE. OK means every live path, at least one per LUN.
    """

    id: int
    deadline: float
    not_after: float
    luns: Luns
    key: int
    replaces: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Reserve:
    """Storage. RESERVE type 5 on the LUNs through a registered path. A reservation held by `key` itself counts as done
    (another path of this node holds it); one held by any other key is CONFLICT."""

    id: int
    deadline: float
    not_after: float
    luns: Luns
    key: int


@dataclass(frozen=True, slots=True)
class PreemptAndAbort:
    """Storage. PREEMPT AND ABORT of each victim in turn with the own `key`, type 5.

    On the lock LUN a victim that is not registered is CONFLICT, never OK: it decides a challenge. On data LUNs a LUN
    that lists none of the victims is done already. `victims[0]` is the holder where the holder is a victim. `renew`: the
    own paths that do not hold the reservation are registered once more afterwards; never while something is mounted.
    """

    id: int
    deadline: float
    not_after: float
    luns: Luns
    key: int
    victims: tuple[int, ...]
    renew: bool = False


@dataclass(frozen=True, slots=True)
class Unregister:
    """Storage. REGISTER with key -> 0 on every live path of the LUNs; the holder's last one drops the reservation.

    A path that does not carry the key counts as done. Used to withdraw a challenge and to release after a clean stop.
    """

    id: int
    deadline: float
    luns: Luns
    key: int


@dataclass(frozen=True, slots=True)
class WriteNote:
    """Storage. Write the note into its sector of the lock LUN (direct, through multipath); CONFLICT as for a beat."""

    id: int
    deadline: float
    not_after: float
    note: Note


@dataclass(frozen=True, slots=True)
class SuspendIo:
    """Storage. Suspend the device-mapper maps of the data LUNs without flushing (dmsetup suspend --noflush).

    Needed before a node that has the package mounted registers again on a data LUN: if it was frozen and replaced
    meanwhile, the new registration must not let its old writes through before the lock was read back.
    """

    id: int
    deadline: float


@dataclass(frozen=True, slots=True)
class ResumeIo:
    """Storage. Resume the maps suspended by `SuspendIo`, and put returned paths back into use."""

    id: int
    deadline: float
    not_after: float


@dataclass(frozen=True, slots=True)
class Activate:
    """Work. Take over the volume group (system id), activate it, mount its file systems in order."""

    id: int
    deadline: float


@dataclass(frozen=True, slots=True)
class StartResource:
    """Work. Start one resource and return when it answers; then watch its health (`ResourceHealth`)."""

    id: int
    deadline: float
    name: str


@dataclass(frozen=True, slots=True)
class StopResource:
    """Work. Stop one resource and end its watch. `fast`: no wait for clients. OK also when it does not run."""

    id: int
    deadline: float
    name: str
    fast: bool = True


@dataclass(frozen=True, slots=True)
class Deactivate:
    """Work. Unmount all file systems in reverse order (dealing with processes that hold one), deactivate the group.

    OK is the proof of a clean stop: nothing of the package is mounted, active or running on this node.
    """

    id: int
    deadline: float


@dataclass(frozen=True, slots=True)
class KillDatabase:
    """Work. Kill every process of the package at once, without waiting for the storage. Always attempted in full."""

    id: int
    deadline: float


@dataclass(frozen=True, slots=True)
class CheckClean:
    """Work. Prove that nothing of the package is mounted, active or running here: OK; otherwise ERROR with what is."""

    id: int
    deadline: float


@dataclass(frozen=True, slots=True)
class RaiseAddress:
    """Let the package's addresses come up here ("0" into the track file). No result; idempotent."""


@dataclass(frozen=True, slots=True)
class LowerAddress:
    """Take the package's addresses down, at once ("1" into the track file, and from the interface). No result."""

    reason: str


@dataclass(frozen=True, slots=True)
class FeedWatchdog:
    """This package vouches for the node until `until`. The node feeds its watchdog only while every package vouches."""

    until: float


@dataclass(frozen=True, slots=True)
class StopFeedingWatchdog:
    """This package takes its word back: no feeding from now on until the next `FeedWatchdog` of this package."""

    reason: str


@dataclass(frozen=True, slots=True)
class AnnounceRelease:
    """Tell all peers, several times on all networks, that the package was released in order (`PeerReleased`)."""

    term: int


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer of a `Command`: done (ok) or refused/failed with the reason."""

    id: int
    ok: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Log:
    """One decision for the event log, with the rule that took it."""

    decision: str
    reason: str
    state: str = ""


StorageCommand = Observe | Register | Reserve | PreemptAndAbort | Unregister | WriteNote | SuspendIo | ResumeIo
WorkCommand = Activate | StartResource | StopResource | Deactivate | KillDatabase | CheckClean
Action = (
    StorageCommand
    | WorkCommand
    | RaiseAddress
    | LowerAddress
    | FeedWatchdog
    | StopFeedingWatchdog
    | AnnounceRelease
    | Reply
    | Log
)
