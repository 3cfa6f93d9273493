"""Starting: from the won lock LUN to a verified, mounted, running package.

The order is the safety argument. Register on the data LUNs; read the lock LUN again; only then preempt and reserve
there; write the note; read back that the lock and every data LUN carry the own key alone, reserved with type 5. Only
after that may anything be activated or mounted. A node that was frozen at any point of it finds the lock LUN lost at
its next look, before it believes that it may write.
A registration on the lock LUN is always followed by a look before anything is preempted there: else a node that
lost its key meanwhile would register anew and evict the winner (found by the model, mutation M_SWEEP_UNSEEN).
"""

from __future__ import annotations

from holdfast_agent.core import standby
from holdfast_agent.core.actions import Luns
from holdfast_agent.core.challenge import own_past_keys, sweep_victims
from holdfast_agent.core.events import Done, Flag, LunView, Note, Observed, Outcome, Problem
from holdfast_agent.core.judge import Finding, foreign_keys, judge_round
from holdfast_agent.core.keys import same_cluster
from holdfast_agent.core.state import State, Step, Work
from holdfast_agent.core.turn import Turn

_LOOKS = (Step.RECHECK, Step.CHECK_LOCK, Step.VERIFY)


def drive_start(turn: Turn) -> None:
    """Next storage command on the way from the lock LUN to the mount."""
    step = turn.s.step
    if step is Step.SWEEP:
        victims = sweep_victims(turn)
        if victims:
            turn.preempt(Luns.LOCK, victims, may_be_mounted=False)
            return
        turn.set(step=Step.REGISTER_DATA)
        step = Step.REGISTER_DATA
    if step is Step.REGISTER_DATA:
        turn.register(Luns.DATA, _data_past_keys(turn))
    elif step is Step.REGISTER_LOCK:
        turn.register(Luns.LOCK, own_past_keys(turn))
    elif step in _LOOKS:
        turn.observe(data=True)
    elif step is Step.RESERVE_DATA:
        turn.reserve(Luns.DATA)
    elif step is Step.WRITE_NOTE:
        _count_move(turn)
        turn.write_note(owned_note(turn))
    elif step is Step.BACK_OUT_DATA:
        turn.unregister(Luns.DATA)
    elif step is Step.BACK_OUT_LOCK:
        turn.unregister(Luns.LOCK)


def _data_past_keys(turn: Turn) -> tuple[int, ...]:
    return tuple(dict.fromkeys((*own_past_keys(turn), *turn.s.past_on_data)))


def owned_note(turn: Turn, flag: Flag = Flag.OWNED) -> Note:
    """The note of an owner: a new term and the failures that still count."""
    s = turn.s
    if flag is Flag.OWNED and s.state is State.STARTING:
        turn.set(term=max(s.term, s.note.term if s.note else 0) + 1)
    ages = tuple(turn.now - at for at in standby.recent_failures(turn))
    return Note(flag, s.key, turn.s.term, None, s.reason, ages, s.failed_nodes)


def start_observed(turn: Turn, event: Observed) -> None:
    """A look at lock and data LUNs between the steps before the mount."""
    problem = _look_problem(turn, event.lock, event.data)
    if problem is not None:
        turn.log("look again", problem)
        if turn.now - turn.s.since > turn.t.path_wait_alone:
            back_out(turn, f"the LUNs stay unreadable: {problem}")
        return
    if turn.s.key not in event.lock.keys or event.lock.holder != turn.s.key:
        back_out(turn, "the lock LUN is no longer ours")
        return
    if turn.s.step is Step.RECHECK and turn.s.witness is False and foreign_keys((event.lock,), turn.s.key):
        back_out(turn, "isolated: the witness is out of reach and a peer challenges")
    elif turn.s.step is Step.RECHECK:
        partial = event.lock.paths_registered < event.lock.paths_up
        turn.set(step=Step.REGISTER_LOCK if partial else Step.SWEEP)
        if partial:
            _count_try(turn, "a path of the lock LUN stays without a registration")
    elif turn.s.step is Step.CHECK_LOCK:
        _claim(turn, event)
    else:
        _verified(turn, event)


def _look_problem(turn: Turn, lock: LunView, data: tuple[LunView, ...]) -> str | None:
    for view in (lock, *data):
        if view.problem is not Problem.NONE:
            return f"{view.lun}: {view.problem}"
    return None if data else "the data LUNs were not read"


def _claim(turn: Turn, event: Observed) -> None:
    """The lock was still ours after we registered on the data LUNs: now the others may go."""
    victims = foreign_keys(event.data, turn.s.key)
    strange = [key for key in victims if not same_cluster(key, turn.s.key)]
    held = [view.lun for view in event.data if view.holder in strange]
    if held:
        back_out(turn, f"refused: {', '.join(held)} reserved by a stranger's key")
    elif victims:
        turn.set(step=Step.PREEMPT_DATA)
        turn.preempt(Luns.DATA, victims, may_be_mounted=False)
    else:
        turn.set(step=Step.RESERVE_DATA)


def _verified(turn: Turn, event: Observed) -> None:
    """The last look before the mount: only own keys on every LUN, every one reserved by us."""
    verdict = judge_round(turn.s.key, event.lock, event.data, None)
    if verdict.finding is Finding.OWN and event.note is not None and event.note.key == turn.s.key:
        _begin_run(turn)
    elif verdict.finding is Finding.LOST:
        back_out(turn, verdict.reason)
    else:
        turn.log("claim again", verdict.reason or "the note is not ours")
        turn.set(step=Step.RECHECK)
        _count_try(turn, verdict.reason or "the note is not ours")


def _count_move(turn: Turn) -> None:
    """An unplanned move counts from the moment it is written down, before anything runs."""
    if turn.s.unplanned:
        turn.set(failures=(*standby.recent_failures(turn), turn.now), unplanned=False)


def _begin_run(turn: Turn) -> None:
    s = turn.s
    plan = (Work("activate"), *(Work("start", name) for name in s.config.resources_up_to(s.up_to)))
    turn.set(plan=plan, owned_at=turn.now, verified_at=turn.now, unverified_since=None, poll_at=turn.now + turn.t.defend, tries=0,
             giving_up=False, challenge=None, unhealthy=frozenset(), spent=())  # fmt: skip
    turn.go(State.STARTING, Step.RUN, "verified: only own keys on every LUN")


def start_done(turn: Turn, event: Done) -> None:
    """Result of a storage command on the way to the mount."""
    step = turn.s.step
    if step in (Step.BACK_OUT_DATA, Step.BACK_OUT_LOCK):
        _backed_out(turn, event)
        return
    if event.outcome is Outcome.OK:
        turn.set(step=_AFTER[step])
    elif step is Step.SWEEP and event.outcome is Outcome.CONFLICT:
        turn.set(step=Step.RECHECK)
    elif event.outcome in (Outcome.CONFLICT, Outcome.TIMEOUT, Outcome.EXPIRED, Outcome.NO_PATHS):
        turn.log("look again", f"{step} ended with {event.outcome}")
        turn.set(step=Step.RECHECK)
        _count_try(turn, f"{step}: {event.outcome} {event.detail}".strip())
    else:
        back_out(turn, f"{step} failed: {event.detail or event.outcome}")


_AFTER = {
    Step.REGISTER_LOCK: Step.RECHECK,
    Step.SWEEP: Step.REGISTER_DATA,
    Step.REGISTER_DATA: Step.CHECK_LOCK,
    Step.PREEMPT_DATA: Step.RESERVE_DATA,
    Step.RESERVE_DATA: Step.WRITE_NOTE,
    Step.WRITE_NOTE: Step.VERIFY,
}
_MAX_CLAIM_TRIES = 10
"""Storage commands that may fail between the won lock LUN and the mount before the node backs out."""


def _count_try(turn: Turn, reason: str) -> None:
    turn.set(tries=turn.s.tries + 1)
    if turn.s.tries >= _MAX_CLAIM_TRIES:
        back_out(turn, reason)


def back_out(turn: Turn, reason: str) -> None:
    """Nothing is mounted yet: take the own keys off the data LUNs, then off the lock LUN, and stand by.

    A data LUN that is reserved by us stays so: see stopping.py.
    """
    turn.set(tries=0)
    leaves = turn.s.on_data and not turn.s.holds_data
    turn.go(State.STARTING, Step.BACK_OUT_DATA if leaves else Step.BACK_OUT_LOCK, reason)


def _backed_out(turn: Turn, event: Done) -> None:
    if turn.s.step is Step.BACK_OUT_DATA:
        if event.outcome is Outcome.OK:
            turn.set(on_data=False)
        turn.set(step=Step.BACK_OUT_LOCK)
        return
    if event.outcome is Outcome.OK:
        turn.set(on_lock=False)
    if turn.s.challenge is not None:
        turn.set(spent=(*turn.s.spent[-15:], turn.s.challenge.mark))
    turn.set(challenge=None, poll_at=turn.now, look_due=True, hold_until=turn.now + turn.t.target_wait)
    turn.go(State.STANDBY, Step.IDLE, turn.s.reason)


def start_stalled(turn: Turn) -> None:
    """Frozen before the mount: look at the lock LUN before anything else."""
    if turn.s.step not in (Step.BACK_OUT_DATA, Step.BACK_OUT_LOCK):
        turn.set(step=Step.RECHECK)
