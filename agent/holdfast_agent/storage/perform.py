"""Entry of a storage child: one command of the state machine in, the event that answers it out."""

from __future__ import annotations

import time
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from functools import cache

from ..core.actions import (
    Luns,
    Observe,
    PreemptAndAbort,
    Register,
    Reserve,
    ResumeIo,
    StorageCommand,
    SuspendIo,
    Unregister,
    WriteNote,
)
from ..core.events import Done, Observed, Outcome
from . import changes, maps
from .map_writes import write_note
from .node_view import NodeView
from .observe import observe
from .targets import Lun, LunName, StorageTargets

# How long giving up keys waits for multipathd to stop registering: it normally answers in a few milliseconds.
WITHDRAW_SECONDS = 0.3
# How long multipathd may take in the background before its silence is reported, and how often an owner repeats it: a
# restarted multipathd may have lost the flag.
ANNOUNCE_SECONDS = 30.0


@dataclass(frozen=True)
class StorageAnswer:
    """The answering event, and remarks for the event log about what went on in the background."""

    event: Observed | Done
    remarks: tuple[str, ...] = ()
    seconds: float = 0.0
    path_keys: dict[str, dict[str, tuple[int, ...]]] = field(default_factory=dict)


class StorageChild:
    """State of one storage child between commands."""

    def __init__(self) -> None:
        self._node = NodeView()
        self._background: list[Future[None]] = []
        # When multipathd was last told, by LUN and key.
        self._announced: dict[tuple[str, int], float] = {}

    def perform(self, targets: StorageTargets, own_key: int, command: StorageCommand) -> StorageAnswer:
        """Carry out one command; always returns by the command's deadline."""
        begun = time.monotonic()
        event = self._dispatch(targets, own_key, command)
        return StorageAnswer(event, self._collect_remarks(), time.monotonic() - begun, self._node.path_keys)

    def _dispatch(self, targets: StorageTargets, own_key: int, command: StorageCommand) -> Observed | Done:
        if isinstance(command, Observe):
            if command.write:
                self._announce_while_owner(targets, own_key)
            return observe(self._node, targets, own_key, command)
        return Done(command.id, self._change(targets, command))

    def _change(self, targets: StorageTargets, command: StorageCommand) -> Outcome:
        luns = self._node.topology.find(_names(targets, command))
        match command:
            case Register():
                return self._register(luns, command)
            case Reserve():
                return changes.reserve(self._node, luns, command)
            case PreemptAndAbort() if command.luns is Luns.LOCK:
                return changes.preempt_lock(self._node, luns[0], command)
            case PreemptAndAbort():
                return changes.preempt_data(self._node, luns, command)
            case Unregister():
                return self._unregister(luns, command)
            case WriteNote():
                return write_note(self._node, luns[0], command.note, command.deadline, command.not_after)
            case SuspendIo():
                return maps.suspend(self._node, luns, command.deadline)
            case ResumeIo():
                return maps.resume(self._node, luns, command.deadline, command.not_after)
            case _:
                raise TypeError(f"{type(command).__name__} is not a storage command")

    def _register(self, luns: tuple[Lun, ...], command: Register) -> Outcome:
        outcome = changes.register(self._node, luns, command)
        if outcome is Outcome.OK:
            self._announce(luns, command.key)
        return outcome

    def _announce_while_owner(self, targets: StorageTargets, own_key: int) -> None:
        """An owner found running was registered by an earlier agent, and multipathd may be another one since."""
        now = time.monotonic()
        luns = self._node.topology.find((targets.lock, *targets.data))
        late = [lun for lun in luns if now - self._announced.get((lun.wwid, own_key), float("-inf")) > ANNOUNCE_SECONDS]
        if late:
            self._announce(tuple(late), own_key)

    def _announce(self, luns: tuple[Lun, ...], key: int) -> None:
        now = time.monotonic()
        self._announced.update({(lun.wwid, key): now for lun in luns})
        self._background.append(maps.announce_key(self._node, luns, key, now + ANNOUNCE_SECONDS))

    def _unregister(self, luns: tuple[Lun, ...], command: Unregister) -> Outcome:
        told = maps.withdraw_key(self._node, luns, time.monotonic() + WITHDRAW_SECONDS)
        self._background.append(told)
        # Either it is told by then, or it is too busy to register anything either.
        wait([told], WITHDRAW_SECONDS)
        if command.luns is Luns.LOCK:
            self._node.close_map()
        return changes.unregister(self._node, luns, command)

    def _collect_remarks(self) -> tuple[str, ...]:
        ended = [future for future in self._background if future.done()]
        self._background = [future for future in self._background if not future.done()]
        return tuple(str(error) for future in ended if (error := future.exception()) is not None)


def _names(targets: StorageTargets, command: StorageCommand) -> tuple[LunName, ...]:
    """Which LUNs a command is for: notes live on the lock LUN, suspending is for what is mounted."""
    if isinstance(command, (SuspendIo, ResumeIo)):
        return targets.data
    if isinstance(command, (WriteNote, Observe)):
        return (targets.lock,)
    return (targets.lock,) if command.luns is Luns.LOCK else targets.data


@cache
def _child() -> StorageChild:
    return StorageChild()


def perform_storage(targets: StorageTargets, own_key: int, command: StorageCommand) -> StorageAnswer:
    """The job function; a process keeps one StorageChild for its whole life."""
    return _child().perform(targets, own_key, command)

