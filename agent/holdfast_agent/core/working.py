"""The work channel: the plan of starts and stops, and what a failure of one of them means."""

from __future__ import annotations

from dataclasses import replace

from holdfast_agent.core.events import Done, Flag, Outcome, ResourceHealth, Verb
from holdfast_agent.core.rounds import address_is_due, peer_can_serve
from holdfast_agent.core.starting import owned_note
from holdfast_agent.core.state import Goal, State, Step, Work
from holdfast_agent.core.stopping import answer_waiting, eject, ejected_clean, stop_package, stopped_clean
from holdfast_agent.core.turn import Turn

_MAX_KILLS = 20
"""Rounds of kill and unmount that an ejected node tries; the watchdog normally ends it first."""


def drive_work(turn: Turn) -> None:
    """Start the next entry of the plan, or act on its end. An ejected node stops whatever it has slept through."""
    s = turn.s
    if s.work is not None or s.step is not Step.RUN:
        return
    if s.stalled and s.state is not State.EJECTED:
        return
    if s.plan:
        if s.plan[0].kind == "deactivate" and s.state is State.STOPPING:
            turn.lower_address(s.reason)
        turn.work(s.plan[0])
    elif s.state is State.STARTING:
        _started(turn)
    elif s.state is State.STOPPING and s.storage is None:
        stopped_clean(turn)
    elif s.state is State.EJECTED and s.active:
        ejected_clean(turn)
    elif s.state is State.OWNER:
        _look_after_health(turn)
    elif s.state is State.MAINTENANCE:
        _started_again(turn)


def _started(turn: Turn) -> None:
    turn.set(failed_nodes=(), tries=0, planned_from=None)
    if turn.s.up_to is not None:
        _started_partly(turn)
        return
    turn.go(State.OWNER, Step.RUN, "running and verified")
    if address_is_due(turn):
        turn.raise_address()
    answer_waiting(turn, True, "the package runs here")


def _started_partly(turn: Turn) -> None:
    """Maintenance, once that is written on the lock LUN (see commands.note_written)."""
    if turn.s.pending_note is None:
        note = owned_note(turn, Flag.MAINTENANCE)
        reason = f"started up to {turn.s.up_to} by an operator"
        turn.set(pending_note=replace(note, target=turn.s.up_to, reason=reason))


def _asked_to_start(turn: Turn) -> bool:
    return turn.s.waiting is not None and turn.s.waiting.verb is Verb.START


def _started_again(turn: Turn) -> None:
    """A start in maintenance (see commands) has come to its end."""
    if _asked_to_start(turn):
        answer_waiting(turn, True, "everything that was started runs; still in maintenance")


def work_done(turn: Turn, event: Done) -> None:
    """Result of the entry at the head of the plan."""
    s = turn.s
    turn.set(work=None)
    if not s.plan:
        return
    head = s.plan[0]
    if event.outcome is Outcome.OK:
        turn.set(plan=s.plan[1:])
        if head.kind == "start":
            turn.set(unhealthy=turn.s.unhealthy - {head.name})
        if turn.s.state is State.STARTING and not turn.s.stalled and address_is_due(turn):
            turn.raise_address()
        return
    turn.log("work failed", f"{head.kind} {head.name}: {event.outcome} {event.detail}".replace(" :", ":"))
    _FAILED[turn.s.state](turn, head, event)


def _start_failed(turn: Turn, head: Work, event: Done) -> None:
    """Limited tries here, then the next node, then stop with a reason."""
    turn.set(tries=turn.s.tries + 1)
    if turn.s.tries < turn.s.config.start_tries:
        undo = Work("stop", head.name) if head.kind == "start" else Work("deactivate")
        turn.set(plan=(undo, *turn.s.plan))
        return
    leave_node(turn, f"{head.kind} {head.name} failed {turn.s.tries} times: {event.detail}".replace("  ", " "))


def leave_node(turn: Turn, reason: str) -> None:
    """This node cannot run the package: roll a planned move back, else the next node, else leave it failed."""
    s = turn.s
    turn.set(failed_nodes=(*(n for n in s.failed_nodes if n != s.config.node), s.config.node))
    answer_waiting(turn, False, reason)
    back = turn.peer(s.planned_from)
    if back is not None and not back.dead and not turn.silent(back, turn.t.silence):
        stop_package(turn, Goal.RELEASE, f"rolled back: {reason}", back.node)
        return
    target = peer_can_serve(turn)
    if target is not None:
        turn.set(failures=(*turn.s.failures[-50:], turn.now))
        stop_package(turn, Goal.RELEASE, reason, target)
    else:
        stop_package(turn, Goal.FAIL, f"no node can run the package: {reason}")


def _owner_failed(turn: Turn, head: Work, event: Done) -> None:
    """A restart in place failed: try it again within the limit."""
    turn.set(plan=())
    _restart(turn, head.name, f"restart of {head.name} failed: {event.detail}")


def _stop_failed(turn: Turn, head: Work, event: Done) -> None:
    """A stop that fails ends at the watchdog: kill, and what stays is reset."""
    eject(turn, f"{head.kind} {head.name} failed: {event.outcome} {event.detail}".replace("  ", " "))


def _kill_failed(turn: Turn, head: Work, event: Done) -> None:
    turn.set(tries=turn.s.tries + 1)
    if turn.s.tries < _MAX_KILLS:
        rest = (Work("deactivate"), Work("check"))
        turn.set(plan=(Work("kill"), *rest))
    else:
        turn.set(plan=(head,))


def _remembered(turn: Turn, head: Work, event: Done) -> None:
    """In maintenance nothing is done about a failure, but the leave gate, and who asked, have to know of it."""
    turn.set(plan=turn.s.plan[1:])
    if head.kind == "start":
        turn.set(unhealthy=turn.s.unhealthy | {head.name})
    if _asked_to_start(turn):
        turn.set(plan=())
        answer_waiting(turn, False, f"{head.kind} {head.name} failed: {event.detail}")


_FAILED = dict.fromkeys(State, _remembered) | {
    State.STARTING: _start_failed,
    State.OWNER: _owner_failed,
    State.STOPPING: _stop_failed,
    State.EJECTED: _kill_failed,
}


def health_seen(turn: Turn, event: ResourceHealth) -> None:
    """Remember a resource's health; acted on when the package is owned and no plan is running."""
    unhealthy = turn.s.unhealthy
    changed = unhealthy - {event.name} if event.healthy else unhealthy | {event.name}
    if changed != unhealthy:
        turn.set(unhealthy=changed)
        turn.log("health", f"{event.name} is {'healthy' if event.healthy else 'failed'}: {event.detail}")


def _look_after_health(turn: Turn) -> None:
    failed = [name for name in turn.s.config.resources if name in turn.s.unhealthy]
    if failed:
        _restart(turn, failed[0], f"{failed[0]} failed")


def _restart(turn: Turn, name: str, reason: str) -> None:
    """Restart in place from this resource on, within the retry limit; beyond it the package moves."""
    s, config = turn.s, turn.s.config
    recent = tuple(at for at in s.restarts if turn.now - at < config.restart_period)
    if len(recent) >= config.restart_limit:
        turn.set(restarts=())
        leave_node(turn, f"{reason}, {len(recent)} restarts within {config.restart_period:g} s")
        return
    index = config.resources.index(name)
    rest = config.resources[index:]
    plan = (*(Work("stop", n) for n in reversed(rest)), *(Work("start", n) for n in rest))
    turn.set(restarts=(*recent, turn.now), plan=plan, unhealthy=s.unhealthy - set(rest))
    turn.log("restart in place", f"{reason}; {len(recent) + 1} of {config.restart_limit}")
