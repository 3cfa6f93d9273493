"""Every way down: the ordered stop and release, and the ejection of a node that lost the package.

Ordered: resources in reverse, unmount, deactivate; the note that proves the clean stop; then the keys, data LUNs first.
The address goes before the resources, in a planned stop after them, always before the unmount. Ejected: watchdog unfed,
address, kill, unmount; clean again only when that is proven, else the watchdog resets the node.

A data LUN without a reservation takes the writes of every node, also those that an old owner, replaced while it was
frozen, has kept until it wakes. So the reservation of a data LUN outlives its owner: who holds it leaves it to the next
owner to preempt, unless every other node was heard at rest since (found by the model, mutation M_RESERVATION_DROPPED).
"""

from __future__ import annotations

from holdfast_agent.core import actions as act
from holdfast_agent.core import standby
from holdfast_agent.core.actions import Luns
from holdfast_agent.core.events import Done, Flag, Note, Observed, Outcome, Problem, Verb
from holdfast_agent.core.state import Goal, Peer, Repair, State, Step, Work
from holdfast_agent.core.turn import Turn

_FLAGS = {Goal.RELEASE: Flag.RELEASED, Goal.STOP: Flag.STOPPED, Goal.FAIL: Flag.FAILED}
_STOP_VERBS = (Verb.STOP, Verb.MOVE, Verb.FAILBACK)
_NOTE_VERBS = (Verb.MAINTENANCE_ON, Verb.MAINTENANCE_OFF, Verb.DETACH)
_AT_REST = (State.STANDBY, State.STOPPED, State.FAILED, State.CHALLENGING)
"""States in which a node has nothing of the package active."""
_EJECT_PLAN = (Work("kill"), Work("deactivate"), Work("check"))


def stop_package(turn: Turn, goal: Goal, reason: str, target: str | None = None, *, planned: bool = False) -> None:
    """Begin the ordered stop of a package that is (being) mounted here; it overtakes a note under way.

    In a planned one the address stays until the resources have stopped: a client is told by the server that its
    connection ends, where an address that vanishes would leave it waiting for its own timeout.
    """
    if turn.s.pending_note is not None:
        if turn.s.waiting is not None and turn.s.waiting.verb in _NOTE_VERBS:
            answer_waiting(turn, False, f"overtaken: {reason}")
        turn.set(pending_note=None)
    plan = (*(Work("stop", name) for name in reversed(turn.s.config.resources)), Work("deactivate"))
    turn.set(goal=goal, target=target, plan=plan, giving_up=turn.s.giving_up or goal is not Goal.STOP, tries=0)
    turn.go(State.STOPPING, Step.RUN, reason)
    if not planned:
        turn.lower_address(reason)


def eject(turn: Turn, reason: str) -> None:
    """Lost (or given up): stop by force. The watchdog ends what does not go (I6)."""
    if not turn.s.tripped:
        turn.set(tripped=True, fed_until=-1e9)
        turn.do(act.StopFeedingWatchdog(reason))
    turn.lower_address(reason)
    turn.set(plan=_EJECT_PLAN, work=None, repair=Repair.NONE, storage=None, tries=0, challenge=None,
             unverified_since=None, pending_note=None, giving_up=False)  # fmt: skip
    turn.go(State.EJECTED, Step.RUN, reason)


def drive_release(turn: Turn) -> None:
    """Storage commands after the package was stopped here: note, data keys, lock key."""
    step = turn.s.step
    if step is Step.RELEASE_NOTE:
        turn.write_note(_release_note(turn))
    elif step is Step.RELEASE_DATA and _asleep_somewhere(turn):
        turn.log("release", f"the data LUNs stay reserved: {', '.join(_asleep_somewhere(turn))} not heard at rest")
        turn.set(step=Step.RELEASE_LOCK)
        turn.unregister(Luns.LOCK)
    elif step is Step.RELEASE_DATA:
        turn.unregister(Luns.DATA)
    elif step is Step.RELEASE_LOCK:
        turn.unregister(Luns.LOCK)


def _asleep_somewhere(turn: Turn) -> list[str]:
    """Peers that may still have the package mounted: not heard at rest since this node owns it.

    One that was may be silent by now; it cannot have mounted anything meanwhile. A person who takes a frozen node for dead
    costs no data: the next owner preempts what stays.
    """
    owned_at = turn.s.owned_at
    return [p.node for p in turn.s.peers if not (_at_rest(p) and p.viewed_at >= owned_at)]


def _at_rest(peer: Peer) -> bool:
    return peer.view is not None and peer.view.state in _AT_REST


def _release_note(turn: Turn) -> Note:
    s = turn.s
    ages = tuple(turn.now - at for at in standby.recent_failures(turn))
    planned = s.goal is Goal.RELEASE and s.config.node not in s.failed_nodes
    previous = s.config.node if planned else None
    return Note(_FLAGS[s.goal], s.key, s.term, s.target, s.reason, ages, s.failed_nodes, previous)


def stopped_clean(turn: Turn) -> None:
    """The work channel proved the clean stop: nothing of the package runs here any more."""
    turn.set(active=False, poll_at=turn.now)
    turn.set(step=Step.RELEASE_NOTE)


_AFTER = {Step.RELEASE_NOTE: Step.RELEASE_DATA, Step.RELEASE_DATA: Step.RELEASE_LOCK}
_MAX_RELEASE_TRIES = 5


def release_done(turn: Turn, event: Done) -> None:
    """Result of one command of the release."""
    step = turn.s.step
    if event.outcome is Outcome.EXPIRED:
        # Not sent, because this node was too slow: no answer of the array, so it does not count as a try. Keys given up
        # before the note says "stopped" would be an invitation.
        return
    if event.outcome is not Outcome.OK and not (step is Step.RELEASE_NOTE and event.outcome is Outcome.CONFLICT):
        turn.set(tries=turn.s.tries + 1)
        turn.log("release", f"{step} ended with {event.outcome} {event.detail}".strip())
        if turn.s.tries < _MAX_RELEASE_TRIES:
            return
        turn.set(tries=0)
    if step is Step.RELEASE_DATA:
        failed = event.outcome is not Outcome.OK
        turn.set(on_data=failed, holds_data=failed and turn.s.holds_data)
    if step in _AFTER:
        turn.set(step=_AFTER[step])
        return
    turn.set(on_lock=event.outcome is not Outcome.OK)
    _released(turn)


def _released(turn: Turn) -> None:
    s = turn.s
    reason = s.reason
    state = {Goal.RELEASE: State.STANDBY, Goal.STOP: State.STOPPED, Goal.FAIL: State.FAILED}[s.goal]
    turn.do(act.AnnounceRelease(s.term))
    turn.set(giving_up=False, target=None, poll_at=turn.now, unowned_since=None, lock_readable=False, note=None)
    turn.go(state, Step.IDLE, reason)
    wanted = s.waiting is not None and s.waiting.verb in _STOP_VERBS
    answer_waiting(turn, wanted, f"released: {reason}")


def answer_waiting(turn: Turn, ok: bool, reason: str) -> None:
    """Answer the operator's command that was waiting for this."""
    if turn.s.waiting is not None:
        turn.do(act.Reply(turn.s.waiting.id, ok, reason))
        turn.set(waiting=None)


def ejected_clean(turn: Turn) -> None:
    """Killed, unmounted and checked: the node may be fed again; its keys are looked after next."""
    turn.set(active=False, suspended=False, writes_held=False, tripped=False, poll_at=turn.now, tries=0)
    answer_waiting(turn, False, turn.s.reason)
    turn.go(State.EJECTED, Step.INSPECT, f"stop proven clean after: {turn.s.reason}")


def drive_ejected(turn: Turn) -> None:
    """After a clean stop: read the keys, take the own ones off the data LUNs, then stand by."""
    step = turn.s.step
    if step is Step.INSPECT:
        if turn.now >= turn.s.poll_at:
            turn.set(poll_at=turn.now + turn.t.poll)
            turn.observe(data=True)
    elif step is Step.CLEAN_UP:
        turn.unregister(Luns.DATA)
    elif step is Step.WITHDRAW:
        turn.unregister(Luns.LOCK)


def ejected_observed(turn: Turn, event: Observed) -> None:
    """The lock LUN is readable again: either nobody took over, or the own leftovers are cleaned up."""
    if event.lock.problem is not Problem.NONE:
        return
    turn.set(stalled=False)
    if event.lock.holder == turn.s.key:
        turn.set(poll_at=turn.now)
        turn.go(State.STANDBY, Step.IDLE, "stopped cleanly; still holds the lock LUN")
    else:
        turn.set(step=Step.WITHDRAW if turn.s.holds_data else Step.CLEAN_UP)


def ejected_done(turn: Turn, event: Done) -> None:
    """Result of the clean-up of the own keys."""
    if event.outcome is not Outcome.OK:
        turn.set(step=Step.INSPECT, poll_at=turn.now + turn.t.poll)
    elif turn.s.step is Step.CLEAN_UP:
        turn.set(on_data=False, step=Step.WITHDRAW)
    else:
        turn.set(on_lock=False, poll_at=turn.now, look_due=True)
        turn.go(State.STANDBY, Step.IDLE, "rejoined after a clean stop")
