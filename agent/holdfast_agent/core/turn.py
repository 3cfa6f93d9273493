"""One step in the making: the private copy of the state that the rules change, and the actions they ask for."""

from __future__ import annotations

from typing import Any

from holdfast_agent.core import actions as act
from holdfast_agent.core.events import Note
from holdfast_agent.core.keys import same_node
from holdfast_agent.core.state import MachineState, Peer, Repair, State, Step, StoragePending, Work, WorkPending

_FIELDS = frozenset(MachineState.__dataclass_fields__)
_TIMEOUT_GRACE = 0.05
"""Seconds by which the machine outwaits the I/O layer's own deadline, so that its TIMEOUT is normally heard."""


class Turn:
    """Rules read `turn.s`, change it with `set`, and append to `actions`. The caller's state is never touched."""

    def __init__(self, state: MachineState, now: float) -> None:
        self.s: MachineState = object.__new__(MachineState)
        self.s.__dict__.update(state.__dict__)
        self.s.__dict__["now"] = now
        self.now = now
        self.t = state.config.timers
        self.actions: list[act.Action] = []

    def set(self, **changes: Any) -> None:
        """Change fields of the private copy; a name that is not a field is a bug and raises KeyError."""
        if not changes.keys() <= _FIELDS:
            raise KeyError(", ".join(sorted(changes.keys() - _FIELDS)))
        self.s.__dict__.update(changes)

    def do(self, action: act.Action) -> None:
        self.actions.append(action)

    def log(self, decision: str, reason: str) -> None:
        self.do(act.Log(decision, reason, self.s.state))

    def go(self, state: State, step: Step, reason: str) -> None:
        """Enter a state; logged when the public state or its reason changes."""
        if (state, reason) != (self.s.state, self.s.reason):
            changes: dict[str, Any] = {"state": state, "reason": reason}
            if state != self.s.state:
                changes["since"] = self.now
            self.set(**changes)
            self.log("state", reason)
        self.set(step=step)

    # -- storage channel ---------------------------------------------------------------------------------------

    def _id(self) -> int:
        number = self.s.next_id
        self.set(next_id=number + 1)
        return number

    def _storage(self, command: act.StorageCommand) -> None:
        self.set(storage=StoragePending(command, self.now))
        self.do(command)

    @property
    def command_deadline(self) -> float:
        return self.now + self.t.slow_limit

    @property
    def not_after(self) -> float:
        """A mutating command must leave within the tolerated stall of its decision."""
        return self.now + self.t.stall

    def observe(self, *, write: bool = False, data: bool = False, serving: bool = True) -> None:
        counter = self.s.counter + 1 if write else self.s.counter
        self.set(counter=counter)
        self._storage(act.Observe(self._id(), self.command_deadline, write, counter, serving, data))

    def register(self, luns: act.Luns, replaces: tuple[int, ...] = ()) -> None:
        if luns is act.Luns.LOCK:
            self.set(on_lock=True)
        else:
            self.set(on_data=True, holds_data=self.s.holds_data or bool(replaces))
        self._storage(act.Register(self._id(), self.command_deadline, self.not_after, luns, self.s.key, replaces))

    def reserve(self, luns: act.Luns) -> None:
        self._may_hold(luns)
        self._storage(act.Reserve(self._id(), self.command_deadline, self.not_after, luns, self.s.key))

    def preempt(self, luns: act.Luns, victims: tuple[int, ...], *, may_be_mounted: bool) -> None:
        self._may_hold(luns)
        key = self.s.key
        renew = not may_be_mounted and any(same_node(victim, key) for victim in victims)
        self._storage(act.PreemptAndAbort(self._id(), self.command_deadline, self.not_after, luns, key, victims, renew))

    def _may_hold(self, luns: act.Luns) -> None:
        if luns is act.Luns.DATA:
            self.set(holds_data=True)

    def unregister(self, luns: act.Luns) -> None:
        self._storage(act.Unregister(self._id(), self.command_deadline, luns, self.s.key))

    def write_note(self, note: Note) -> None:
        self._storage(act.WriteNote(self._id(), self.command_deadline, self.not_after, note))

    def suspend_io(self) -> None:
        self.set(suspended=True, writes_held=False)
        self._storage(act.SuspendIo(self._id(), self.command_deadline))

    def resume_io(self) -> None:
        self._storage(act.ResumeIo(self._id(), self.command_deadline, self.not_after))

    def storage_late(self) -> bool:
        pending = self.s.storage
        return pending is not None and self.now > pending.command.deadline + _TIMEOUT_GRACE

    # -- work channel ------------------------------------------------------------------------------------------

    def work(self, item: Work) -> None:
        """Start one entry of the plan on the work channel."""
        number, t, now = self._id(), self.t, self.now
        command: act.WorkCommand
        if item.kind == "activate":
            self.set(active=True)
            command = act.Activate(number, now + t.activate_timeout)
        elif item.kind == "start":
            self.set(active=True)
            command = act.StartResource(number, now + t.start_timeout, item.name)
        elif item.kind == "stop":
            command = act.StopResource(number, now + t.stop_timeout, item.name)
        elif item.kind == "deactivate":
            command = act.Deactivate(number, now + t.activate_timeout)
        elif item.kind == "kill":
            command = act.KillDatabase(number, now + t.slow_limit)
        else:
            command = act.CheckClean(number, now + t.slow_limit)
        self.set(work=WorkPending(command))
        self.do(command)

    def work_late(self) -> bool:
        pending = self.s.work
        return pending is not None and self.now > pending.command.deadline + _TIMEOUT_GRACE

    # -- address -----------------------------------------------------------------------------------------------

    def raise_address(self) -> None:
        if not self.s.address:
            self.set(address=True)
            self.do(act.RaiseAddress())

    def lower_address(self, reason: str) -> None:
        if self.s.address:
            self.set(address=False)
            self.do(act.LowerAddress(reason))

    # -- small questions ---------------------------------------------------------------------------------------

    def peer(self, node: str | None) -> Peer | None:
        return next((peer for peer in self.s.peers if peer.node == node), None)

    def silent(self, peer: Peer, limit: float) -> bool:
        """Has the peer said nothing on any network for this long?"""
        return self.now - peer.heard_at >= limit

    def node_of(self, key: int) -> str | None:
        """Node of a key of this cluster that may run the package; None for a stranger's key."""
        config = self.s.config
        if key >> 32 != config.key >> 32:
            return None
        number = key >> 24 & 0xFF
        return next((name for name, node_id in config.node_ids if node_id == number), None)

    def idle(self) -> bool:
        return self.s.storage is None and self.s.repair is Repair.NONE
