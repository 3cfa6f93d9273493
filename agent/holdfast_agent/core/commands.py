"""Operator commands: each is answered once, with what was done or with the reason of the refusal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from holdfast_agent.core import actions as act
from holdfast_agent.core import standby
from holdfast_agent.core.events import Command, Done, Flag, Note, Outcome, Verb
from holdfast_agent.core.keys import same_node
from holdfast_agent.core.preview import plan_move
from holdfast_agent.core.starting import owned_note
from holdfast_agent.core.state import Evidence, Goal, Repair, State, Step, Waiting, Work
from holdfast_agent.core.stopping import answer_waiting, eject, stop_package
from holdfast_agent.core.turn import Turn

_OVER = (Flag.STOPPED, Flag.FAILED, Flag.RELEASED)
"""Flags of a note that is written after a clean stop."""
_FOREVER = 1e18
"""A moment no clock reaches: a detached package vouches for the node until it is attached again."""


def command_given(turn: Turn, event: Command) -> None:
    """Carry out or refuse one command."""
    if turn.s.waiting is not None:
        refuse(turn, event, f"busy: {turn.s.waiting.verb} is under way")
        return
    _VERBS[event.verb](turn, event)


def refuse(turn: Turn, event: Command, reason: str) -> None:
    turn.do(act.Reply(event.id, False, reason))


def accept(turn: Turn, event: Command, reason: str) -> None:
    turn.do(act.Reply(event.id, True, reason))


def _start(turn: Turn, event: Command) -> None:
    s = turn.s
    if s.state is State.MAINTENANCE:
        _start_again(turn, event)
    elif s.state not in (State.STOPPED, State.FAILED, State.STANDBY) or s.step is not Step.IDLE:
        refuse(turn, event, f"the package is {s.state} here")
    elif s.lock is None or not s.lock_readable:
        refuse(turn, event, "the lock LUN cannot be read")
    elif s.lock.holder not in (None, s.key) and standby.left_by_holder(turn) not in _OVER:
        refuse(turn, event, f"{turn.node_of(s.lock.holder) or 'a stranger'} holds the package")
    elif s.witness is not True:
        refuse(turn, event, "the own client network is not proven: the witness does not answer")
    elif event.up_to is not None and event.up_to not in s.config.steps:
        refuse(turn, event, f"no step {event.up_to}: the steps are {', '.join(s.config.steps)}")
    else:
        note = s.note
        turn.set(waiting=Waiting(event.id, event.verb), failures=(), failed_nodes=(),
                 forgiven_term=note.term if note is not None else 0)  # fmt: skip
        proven = note is not None and note.flag in _OVER and note.key not in s.lock.keys
        evidence = Evidence.OPERATOR if proven else Evidence.UNOWNED
        turn.set(override_term=note.term if note is not None else None)
        if s.lock.holder is not None and same_node(s.lock.holder, s.key):
            evidence = Evidence.OWN_PAST
        standby.begin(turn, evidence, (evidence, event.id), s.lock.holder)
        turn.set(unplanned=False, up_to=event.up_to)
        if s.lock.holder == s.key:
            turn.go(State.STARTING, Step.RECHECK, "still holds the lock LUN")


def _start_again(turn: Turn, event: Command) -> None:
    """Start what does not run and stay in maintenance, so that its leave gate can be met. What runs stays as it is."""
    s = turn.s
    problem = _unverified(turn)
    if event.up_to is not None:
        refuse(turn, event, "in maintenance: a start there starts what ran when it began")
    elif s.plan or problem is not None:
        refuse(turn, event, problem or "in maintenance, and busy")
    else:
        started = s.config.resources_up_to(s.up_to)
        turn.set(waiting=Waiting(event.id, event.verb), plan=tuple(Work("start", name) for name in started))


def _stop(turn: Turn, event: Command) -> None:
    s = turn.s
    partial = s.state is State.MAINTENANCE and s.up_to is not None
    if s.state is State.OWNER or partial or (s.state is State.STARTING and s.step is Step.RUN):
        turn.set(waiting=Waiting(event.id, event.verb))
        stop_package(turn, Goal.STOP, "stopped by an operator", planned=True)
    elif s.state is State.MAINTENANCE:
        refuse(turn, event, "in maintenance: leave it first")
    else:
        refuse(turn, event, f"the package is {s.state} here: stop it on its owner")


def _move(turn: Turn, event: Command) -> None:
    plan = plan_move(turn, event.target)
    if plan.refusal is not None:
        refuse(turn, event, plan.refusal)
        return
    turn.set(waiting=Waiting(event.id, event.verb))
    reason = f"moved to {plan.target} by an operator"
    stop_package(turn, Goal.RELEASE, reason, plan.target, planned=True)


def _maintenance_on(turn: Turn, event: Command) -> None:
    if turn.s.state is not State.OWNER or turn.s.plan or turn.s.repair is not Repair.NONE:
        refuse(turn, event, f"the package is {turn.s.state} here or busy")
        return
    _write(turn, event, Flag.MAINTENANCE)


def _maintenance_off(turn: Turn, event: Command) -> None:
    s = turn.s
    if s.state is State.MAINTENANCE:
        problem = _leave_gate(turn)
        if problem is not None:
            refuse(turn, event, f"not left: {problem}")
        else:
            _write(turn, event, Flag.OWNED)
    elif s.note is not None and s.note.flag in (Flag.MAINTENANCE, Flag.DETACHED):
        turn.set(override_term=s.note.term)
        accept(turn, event, f"this node no longer stands off for {s.note.flag} of term {s.note.term}")
    else:
        refuse(turn, event, "not in maintenance")


def _leave_gate(turn: Turn) -> str | None:
    """Maintenance and detachment end only when what is found is what an owner must have."""
    if turn.s.unhealthy:
        return _unverified(turn) or f"{', '.join(sorted(turn.s.unhealthy))} failed"
    return _unverified(turn)


def _unverified(turn: Turn) -> str | None:
    s = turn.s
    late = turn.now - s.verified_at > turn.t.slow_limit + turn.t.defend
    return "the storage is not verified" if s.unverified_since is not None or late else None


def _detach(turn: Turn, event: Command) -> None:
    if turn.s.state is not State.OWNER or turn.s.plan or turn.s.repair is not Repair.NONE:
        refuse(turn, event, f"the package is {turn.s.state} here or busy")
        return
    _write(turn, event, Flag.DETACHED)


def _attach(turn: Turn, event: Command) -> None:
    s = turn.s
    if s.state is State.DETACHED:
        turn.set(waiting=Waiting(event.id, event.verb))
        turn.go(State.DETACHED, Step.ADOPT, "attaching: verifying")
    elif s.note is not None and s.note.flag is Flag.DETACHED:
        turn.set(override_term=s.note.term)
        accept(turn, event, f"this node no longer stands off for detached of term {s.note.term}")
    else:
        refuse(turn, event, f"the package is {s.state} here, not detached")


def _write(turn: Turn, event: Command, flag: Flag) -> None:
    turn.set(waiting=Waiting(event.id, event.verb))
    note = owned_note(turn, flag)
    turn.set(pending_note=replace(note, reason=str(event.verb)))


def begin_note(turn: Turn) -> None:
    """Start the awaited note as soon as the storage channel is free."""
    if turn.s.pending_note is not None and turn.idle():
        turn.set(repair=Repair.NOTE)


def note_written(turn: Turn, event: Done) -> None:
    """The note of maintenance or detachment is on the lock LUN: only now may the owner stop defending."""
    note = turn.s.pending_note
    turn.set(pending_note=None, repair=Repair.NONE)
    if event.outcome is Outcome.CONFLICT:
        answer_waiting(turn, False, "reservation conflict on writing the note")
        eject(turn, "lost: reservation conflict on writing the note")
        return
    if note is None:
        return
    if event.outcome is not Outcome.OK:
        answer_waiting(turn, False, f"the note could not be written: {event.outcome} {event.detail}".strip())
        return
    turn.set(note=note)
    if note.flag is Flag.MAINTENANCE:
        partial = turn.s.up_to is not None
        turn.go(State.MAINTENANCE, Step.RUN, note.reason if partial else "maintenance by an operator")
    elif note.flag is Flag.DETACHED:
        turn.go(State.DETACHED, Step.IDLE, "detached by an operator: keeps running, nobody defends")
        turn.set(fed_until=_FOREVER)
        turn.do(act.FeedWatchdog(_FOREVER))
    else:
        turn.set(poll_at=turn.now)
        if turn.s.state is State.MAINTENANCE:
            make_everything_run(turn)
        return
    answer_waiting(turn, True, turn.s.reason)


def make_everything_run(turn: Turn) -> None:
    """End of maintenance: nobody knows what was done meanwhile. A start of what runs already does nothing."""
    plan = tuple(Work("start", name) for name in turn.s.config.resources)
    turn.set(up_to=None, plan=plan, tries=0)
    turn.go(State.STARTING, Step.RUN, "leaving maintenance: making sure that everything runs")


def attached(turn: Turn, note: Note | None) -> None:
    """What was detached or kept running over an agent start is verified: take it up again."""
    s = turn.s
    turn.set(active=True, on_lock=True, on_data=True, owned_at=turn.now, verified_at=turn.now, stalled=False,
             term=note.term if note is not None else s.term, fed_until=-1e9, poll_at=turn.now)  # fmt: skip
    if s.state is not State.DETACHED and note is not None and note.flag is Flag.DETACHED:
        turn.raise_address()
        turn.go(State.DETACHED, Step.IDLE, "detached by an operator before the agent started")
        turn.set(fed_until=_FOREVER)
        turn.do(act.FeedWatchdog(_FOREVER))
        return
    # An agent that died in a repair left the maps suspended; resuming what runs does nothing.
    turn.set(suspended=True, repair=Repair.RESUME)
    if s.state is not State.DETACHED and note is not None and note.flag is Flag.MAINTENANCE:
        if note.target in s.config.steps:
            turn.set(up_to=note.target)
            turn.lower_address(f"started only up to {note.target}")
        else:
            turn.raise_address()
        turn.go(State.MAINTENANCE, Step.RUN, "maintenance by an operator before the agent started")
        return
    turn.set(address=True)
    turn.do(act.RaiseAddress())
    plan = tuple(Work("start", name) for name in s.config.resources)
    turn.set(plan=plan, tries=0)
    turn.go(State.STARTING, Step.RUN, "found running and verified")
    if note is not None and note.flag is not Flag.OWNED:
        turn.set(pending_note=Note(Flag.OWNED, turn.s.key, turn.s.term, reason="attached"))


def _failback(turn: Turn, event: Command) -> None:
    _move(turn, replace(event, target=turn.s.config.nodes[0]))


def _forget(turn: Turn, event: Command) -> None:
    s = turn.s
    turn.set(failures=(), restarts=(), failed_nodes=(), spent=(), hold_until=-1e9)
    note = s.note
    if note is not None and note.flag is Flag.FAILED:
        turn.set(override_term=note.term)
    turn.set(forgiven_term=note.term if note is not None else 0)
    if s.state is State.FAILED and s.step is Step.IDLE:
        turn.go(State.STANDBY, Step.IDLE, "failures forgotten by an operator")
    if s.state is State.OWNER and s.repair is Repair.NONE and not s.plan:
        turn.set(pending_note=owned_note(turn, Flag.OWNED))
    accept(turn, event, "failures forgotten")


def _rejoin(turn: Turn, event: Command) -> None:
    s = turn.s
    if s.state is not State.EJECTED:
        refuse(turn, event, f"the package is {s.state} here, not ejected")
    elif s.active:
        turn.set(plan=(Work("kill"), Work("deactivate"), Work("check")), work=None, tries=0)
        accept(turn, event, "stopping what is left here; rejoins when that is proven clean")
    else:
        turn.set(poll_at=turn.now)
        accept(turn, event, "already clean: cleaning up the keys")


def _confirm_dead(turn: Turn, event: Command) -> None:
    """A person saw that the node has no power, or its power controller said so. It counts until the node is heard again."""
    peer = turn.peer(event.target)
    if peer is None:
        refuse(turn, event, f"{event.target} is not another node of this package")
    elif not turn.silent(peer, turn.t.silence):
        refuse(turn, event, f"{peer.node} is not dead: it was heard {turn.now - peer.heard_at:.1f} s ago")
    else:
        turn.set(peers=tuple(replace(p, dead=True) if p is peer else p for p in turn.s.peers))
        turn.set(poll_at=min(turn.s.poll_at, turn.now))
        turn.log("peer dead", f"{peer.node} is confirmed dead by an operator")
        accept(turn, event, f"{peer.node} counts as dead until it is heard again")


_VERBS: dict[Verb, Callable[[Turn, Command], None]] = {
    Verb.START: _start,
    Verb.STOP: _stop,
    Verb.MOVE: _move,
    Verb.MAINTENANCE_ON: _maintenance_on,
    Verb.MAINTENANCE_OFF: _maintenance_off,
    Verb.DETACH: _detach,
    Verb.ATTACH: _attach,
    Verb.FAILBACK: _failback,
    Verb.FORGET_FAILURES: _forget,
    Verb.REJOIN: _rejoin,
    Verb.CONFIRM_DEAD: _confirm_dead,
}
