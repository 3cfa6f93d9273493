"""Challenging: from REGISTER on the lock LUN to PREEMPT AND ABORT (or RESERVE) there, and every way out.

A challenger has no registration on a data LUN: under type 5 that would be write permission already.
"""

from __future__ import annotations

from dataclasses import replace

from holdfast_agent.core import standby
from holdfast_agent.core.actions import Luns
from holdfast_agent.core.events import Done, LunView, Observed, Outcome, Problem
from holdfast_agent.core.judge import foreign_keys
from holdfast_agent.core.keys import same_node
from holdfast_agent.core.state import PROVEN, Challenge, Evidence, State, Step
from holdfast_agent.core.turn import Turn

_MAX_DOUBTS = 3
"""Ambiguous conflicts looked into before a challenge is given up for now."""


def challenge_of(turn: Turn) -> Challenge:
    assert turn.s.challenge is not None
    return turn.s.challenge


def drive_challenge(turn: Turn) -> None:
    """Next storage command of a challenge; called when the channel is idle."""
    s = turn.s
    challenge = challenge_of(turn)
    if s.step is Step.REGISTER:
        turn.register(Luns.LOCK, own_past_keys(turn))
    elif s.step is Step.WAIT:
        _drive_wait(turn, challenge)
    elif s.step is Step.STRIKE:
        if challenge.victim is None:
            turn.reserve(Luns.LOCK)
        else:
            turn.preempt(Luns.LOCK, (challenge.victim,), may_be_mounted=False)
    elif s.step is Step.DOUBT:
        turn.observe()
    elif s.step is Step.WITHDRAW:
        turn.unregister(Luns.LOCK)


def own_past_keys(turn: Turn) -> tuple[int, ...]:
    """Keys of earlier starts of this node on the lock LUN: re-keyed path by path instead of ignored."""
    lock, key = turn.s.lock, turn.s.key
    if lock is None:
        return ()
    return tuple(dict.fromkeys(k for k in lock.keys if k != key and same_node(k, key)))


def _drive_wait(turn: Turn, challenge: Challenge) -> None:
    """While waiting, look once per D; after the wait, strike on an observation made after it."""
    s, now = turn.s, turn.now
    if now < challenge.wait_until:
        if now >= s.poll_at:
            turn.set(poll_at=now + turn.t.defend)
            turn.observe()
        return
    if s.lock_at < challenge.fresh_after:
        turn.observe()
        return
    refusal = _why_not_strike(turn, challenge)
    if refusal is None:
        turn.set(step=Step.STRIKE)
        drive_challenge(turn)
    elif now >= s.poll_at:
        turn.set(poll_at=now + turn.t.defend)
        turn.observe()


def _why_not_strike(turn: Turn, challenge: Challenge) -> str | None:
    """Gates of the strike: the own client network proven, and silence that has lasted long enough."""
    if turn.s.stalled:
        return "stalled"
    if challenge.evidence in PROVEN:
        return None
    if turn.s.witness is not True:
        return "the own client network is not proven"
    if challenge.evidence is Evidence.SILENT:
        peer = turn.peer(challenge.node)
        if peer is not None and not turn.silent(peer, turn.t.silence):
            return "not silent for long enough"
    return None


def start_wait(turn: Turn) -> None:
    """The wait begins when the registration is known to be there. Positive proof skips it."""
    challenge = challenge_of(turn)
    wait = 0.0
    if challenge.evidence not in PROVEN:
        wait = turn.t.wait + standby.rank(turn, challenge.node) * turn.t.rank_step
    until = turn.now + wait
    turn.set(challenge=replace(challenge, wait_until=until, fresh_after=until), step=Step.WAIT, poll_at=turn.now)
    turn.log("wait", f"challenge waits {wait:g} s: {challenge.evidence}")


def challenge_done(turn: Turn, event: Done) -> None:
    """Result of REGISTER, RESERVE, PREEMPT or the withdrawal."""
    step = turn.s.step
    if step is Step.REGISTER:
        if event.outcome is Outcome.OK:
            start_wait(turn)
        else:
            withdraw(turn, f"could not register on the lock LUN: {event.outcome} {event.detail}".strip())
    elif step is Step.STRIKE:
        if event.outcome is Outcome.OK:
            won(turn)
        else:
            turn.log("doubt", f"strike ended with {event.outcome}: reading the keys")
            turn.set(step=Step.DOUBT)
    elif step is Step.WITHDRAW:
        _withdrawn(turn, event)


def _withdrawn(turn: Turn, event: Done) -> None:
    if event.outcome is Outcome.OK:
        turn.set(on_lock=False)
    turn.set(challenge=None, poll_at=turn.now, look_due=True)
    turn.go(State.STANDBY, Step.IDLE, turn.s.reason)


def withdraw(turn: Turn, reason: str) -> None:
    """Take back the own registration and stand by."""
    turn.go(State.STANDBY, Step.WITHDRAW, reason)


def stand_down(turn: Turn, reason: str, *, spend: bool = True) -> None:
    """The challenge was lost: no new one without new evidence, nor before a new look at the lock LUN."""
    if spend:
        turn.set(spent=(*turn.s.spent[-15:], challenge_of(turn).mark))
    lock = turn.s.lock
    if lock is not None and turn.s.key not in lock.keys:
        turn.set(on_lock=False, challenge=None, poll_at=turn.now, look_due=True)
        turn.go(State.STANDBY, Step.IDLE, reason)
    else:
        withdraw(turn, reason)


def challenge_observed(turn: Turn, event: Observed) -> None:
    """A look at the lock LUN while waiting or in doubt."""
    lock = event.lock
    if lock.problem is not Problem.NONE:
        if turn.s.step is Step.WAIT:
            restart_wait(turn, f"lock LUN unreadable while waiting: {lock.problem}")
        return
    if standby.standing_off(turn) or standby.closed(turn):
        withdraw(turn, turn.s.reason)
        return
    key = turn.s.key
    if key not in lock.keys:
        _own_key_gone(turn, lock)
    elif lock.holder == key:
        won(turn)
    elif turn.s.step is Step.WAIT:
        _still_waiting(turn, lock)
    else:
        _resolve_doubt(turn, lock)


def _own_key_gone(turn: Turn, lock: LunView) -> None:
    if lock.keys:
        stand_down(turn, "the owner defended: own key is gone from the lock LUN")
    else:
        turn.log("restart", "no key at all on the lock LUN: array restart, challenge starts again with the full wait")
        challenge = replace(challenge_of(turn), victim=None, node=None, evidence=Evidence.UNOWNED)
        turn.set(step=Step.REGISTER, on_lock=False, challenge=challenge)


def restart_wait(turn: Turn, reason: str) -> None:
    """The wait proves nothing if it was not watched: it starts again."""
    turn.log("wait again", reason)
    start_wait(turn)


def _still_waiting(turn: Turn, lock: LunView) -> None:
    """Own key is there, the strike is still to come: is the reason for it still there, too?"""
    challenge = challenge_of(turn)
    if lock.holder != challenge.victim:
        _holder_changed(turn, lock)
        return
    peer = turn.peer(challenge.node)
    if challenge.victim is None or challenge.evidence in PROVEN or peer is None:
        return
    kinds = [evidence for evidence, _ in standby.find_evidence(turn, peer, challenge.victim)]
    if not kinds:
        withdraw(turn, f"{peer.node} was heard again")
    elif Evidence.DEAD in kinds:
        turn.set(challenge=replace(challenge, evidence=Evidence.DEAD, wait_until=turn.now, fresh_after=turn.now))
    elif challenge.evidence not in kinds:
        turn.set(challenge=replace(challenge, evidence=kinds[0]))


def _holder_changed(turn: Turn, lock: LunView) -> None:
    if lock.holder is None:
        turn.log("restart", "the reservation is gone: nobody holds the lock LUN, full wait")
        challenge = replace(challenge_of(turn), victim=None, node=None, evidence=Evidence.UNOWNED)
        turn.set(challenge=challenge)
        start_wait(turn)
    else:
        stand_down(turn, f"{turn.node_of(lock.holder) or 'another node'} took the lock LUN first", spend=False)


def _resolve_doubt(turn: Turn, lock: LunView) -> None:
    """Own key is there and the strike ended without OK: RESERVATION CONFLICT is ambiguous (field notes 6.3)."""
    challenge = challenge_of(turn)
    turn.set(challenge=replace(challenge, doubts=challenge.doubts + 1))
    if challenge.doubts >= _MAX_DOUBTS:
        stand_down(turn, "the strike failed repeatedly")
    elif lock.holder is not None and lock.holder != challenge.victim:
        stand_down(turn, f"{turn.node_of(lock.holder) or 'another node'} won the lock LUN", spend=False)
    elif lock.holder is None:
        turn.log("wait again", "own key is there, nobody holds the lock LUN: full wait, then RESERVE")
        turn.set(challenge=replace(challenge_of(turn), victim=None, node=None, evidence=Evidence.UNOWNED))
        start_wait(turn)
    else:
        turn.log("wait again", "the victim is still there: full wait before the next strike")
        start_wait(turn)


def won(turn: Turn) -> None:
    """A strike that succeeded late may have hit a victim that holds nothing any more: look, then go for the data."""
    turn.go(State.STARTING, Step.RECHECK, f"won the lock LUN: {challenge_of(turn).evidence}")


def sweep_victims(turn: Turn) -> tuple[int, ...]:
    """Other keys on the lock LUN after the win: challengers that must not strike us without a wait of their own."""
    if turn.s.lock is None:
        return ()
    return foreign_keys((turn.s.lock,), turn.s.key)


def challenge_stalled(turn: Turn) -> None:
    """We were frozen: the silence heard was our own. Re-verify before anything else."""
    if turn.s.step is Step.WAIT:
        restart_wait(turn, "stalled while waiting")
    elif turn.s.step is Step.STRIKE:
        turn.set(step=Step.DOUBT)
    elif turn.s.step is Step.REGISTER:
        withdraw(turn, "stalled while registering")
