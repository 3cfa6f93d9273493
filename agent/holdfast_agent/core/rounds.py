"""Rounds: what a node that has the package mounted does with its storage channel, every D.

One rule per finding of the truth table in judge.py. A repair that registers on a data LUN again runs with the maps
suspended, until the lock LUN was read back after the registration: a node that was frozen and replaced in between
must not get its old writes through.
"""

from __future__ import annotations

from collections.abc import Callable

from holdfast_agent.core import standby
from holdfast_agent.core.actions import Luns
from holdfast_agent.core.events import Done, Observed, Outcome
from holdfast_agent.core.judge import Finding, Verdict, judge_round
from holdfast_agent.core.state import Goal, MachineState, Repair, State, Step
from holdfast_agent.core.stopping import eject, stop_package
from holdfast_agent.core.turn import Turn


def isolated(turn: Turn) -> bool:
    """The witness did not answer the last check: the owner does not defend."""
    return turn.s.witness is False


def drive_rounds(turn: Turn) -> None:
    """Next storage command of a mounted package."""
    s = turn.s
    repair = s.repair
    if repair is Repair.NONE:
        if turn.now >= s.poll_at or s.stalled:
            turn.set(poll_at=turn.now + turn.t.defend)
            turn.observe(write=True, data=True, serving=not isolated(turn))
    elif repair is Repair.SUSPEND:
        turn.suspend_io()
    elif repair in (Repair.REGISTER_LOCK, Repair.REGISTER_DATA):
        turn.register(Luns.LOCK if repair is Repair.REGISTER_LOCK else Luns.DATA)
    elif repair in (Repair.RESERVE_LOCK, Repair.RESERVE_DATA):
        turn.reserve(Luns.LOCK if repair is Repair.RESERVE_LOCK else Luns.DATA)
    elif repair is Repair.VERIFY:
        turn.observe(data=True)
    elif repair is Repair.RESUME:
        turn.resume_io()
    elif repair is Repair.NOTE:
        assert s.pending_note is not None
        turn.write_note(s.pending_note)


def round_observed(turn: Turn, event: Observed) -> None:
    """Judge one round and apply the rule of its finding."""
    verdict = judge_round(turn.s.key, event.lock, event.data, event.write)
    if not event.data and verdict.finding not in (Finding.LOST, Finding.GONE):
        verdict = Verdict(Finding.UNVERIFIED, verdict.reason or "the data LUNs were not read")
    turn.set(stalled=False)
    if turn.s.repair is Repair.VERIFY:
        _repair_observed(turn, verdict)
    else:
        _RULES[verdict.finding](turn, verdict)


def _repair_observed(turn: Turn, verdict: Verdict) -> None:
    if verdict.finding in (Finding.OWN, Finding.FOREIGN_LOCK):
        turn.set(repair=Repair.RESUME)
    elif verdict.finding is Finding.LOST:
        _rule_lost(turn, verdict)
    elif verdict.finding in (Finding.GONE, Finding.UNVERIFIED):
        rule_unverified(turn, verdict)
    elif verdict.finding is Finding.FOREIGN_DATA:
        turn.set(repair=Repair.PREEMPT_DATA)
        turn.preempt(Luns.DATA, verdict.foreign, may_be_mounted=True)
    else:
        turn.log("repair", verdict.reason)
        turn.set(repair=Repair.REGISTER_LOCK if turn.s.writes_held else Repair.SUSPEND)


def _rule_lost(turn: Turn, verdict: Verdict) -> None:
    """Own key gone, another holder, or a conflict: stop at once, in whatever state."""
    eject(turn, f"lost: {verdict.reason}")


def rule_unverified(turn: Turn, verdict: Verdict) -> None:
    """Nothing was proven either way: wait as long as the policy says, verify again before anything else."""
    if turn.s.unverified_since is None:
        turn.log("unverified", verdict.reason)
        # Counted from the last proof: a round that hangs before it fails has cost its time already.
        turn.set(unverified_since=min(turn.now, max(turn.s.verified_at, turn.s.since)))
    if turn.s.state is State.STOPPING:
        turn.lower_address("storage not verified while stopping")
    turn.set(unverified_gone=verdict.finding is Finding.GONE)


def give_up_when_due(turn: Turn) -> None:
    """All paths lost or storage too slow: the policy's limit depends on whether a peer could do better.

    The array would say who owns, but cannot be asked. A peer that took the package says so itself, and nobody else wins
    a term above the own one. Where a peer is not heard it may have done so in silence: then the address goes first, and
    comes back with the next proof. In maintenance, where the others stand off, only a successor counts. An agent that has
    just come back and knows of no proof cannot tell whether they do: it lets the address go, and leaves the rest alone.
    """
    s, t = turn.s, turn.t
    if s.state is not State.MAINTENANCE and may_be_replaced(turn):
        turn.lower_address("storage not verified, and a peer that is not heard may have taken the package")
    if s.stalled and s.step is not Step.ADOPT:
        return
    successor = _successor(turn)
    if successor is not None and turn.now - s.verified_at > t.vouch:
        eject(turn, f"lost: storage not verified, and {successor} says that it took the package")
        return
    since = s.unverified_since
    if since is None and s.storage is not None and turn.now - s.storage.asked_at > t.slow_limit:
        since = s.storage.asked_at
    if since is None or s.state is State.MAINTENANCE or s.verified_at < 0:
        return
    limit = (t.path_wait if s.unverified_gone else t.slow_limit) if peer_can_serve(turn) else t.path_wait_alone
    if turn.now - since >= limit:
        what = "all paths are gone" if s.unverified_gone else "too slow"
        eject(turn, f"storage not verified for {limit:g} s: {what}")


def may_be_replaced(turn: Turn) -> bool:
    """May a peer that is not heard have taken the package by now, for want of a beat or because it was told of the storage?"""
    s, t = turn.s, turn.t
    proven_at = s.verified_at if s.verified_at >= 0 else s.since
    invites = turn.now - proven_at > t.beat_stall or says_storage_gone(s)
    return invites and any(not p.dead and turn.silent(p, t.silence) for p in s.peers)


def says_storage_gone(s: MachineState) -> bool:
    """Do the heartbeats of this node say that its storage is gone?"""
    return s.unverified_gone and s.unverified_since is not None and s.now - s.unverified_since >= s.config.timers.path_wait


def _successor(turn: Turn) -> str | None:
    """A peer, heard just now, that has won the package since this node did, whatever it does with it."""
    for peer in turn.s.peers:
        heard = not turn.silent(peer, turn.t.silence)
        if heard and peer.view is not None and peer.view.state in standby.BUSY and peer.view.term > turn.s.term:
            return peer.node
    return None


def peer_can_serve(turn: Turn) -> str | None:
    """First node in preference order that was just heard and could take the package."""
    s = turn.s
    for node in s.config.nodes:
        peer = turn.peer(node)
        if peer is None or peer.dead or peer.view is None or turn.silent(peer, turn.t.silence):
            continue
        if peer.view.can_serve and node not in s.failed_nodes:
            return node
    return None


def _rule_repair(turn: Turn, verdict: Verdict) -> None:
    """Array restart, keys cleared by hand, or a path without a registration: register again, writes suspended."""
    turn.log("repair", verdict.reason)
    turn.set(repair=Repair.SUSPEND)


def _rule_foreign_data(turn: Turn, verdict: Verdict) -> None:
    """The lock LUN is ours alone or being challenged; whoever registered on a data LUN goes."""
    turn.log("preempt data", f"{verdict.reason}: {', '.join(f'{key:#x}' for key in verdict.foreign)}")
    turn.set(repair=Repair.PREEMPT_DATA)
    turn.preempt(Luns.DATA, verdict.foreign, may_be_mounted=True)


def _rule_foreign_lock(turn: Turn, verdict: Verdict) -> None:
    """A challenger or a stranger: a healthy owner preempts it, an isolated one gives way to a node that could serve instead."""
    verified(turn)
    s = turn.s
    challenger = next((name for key in verdict.foreign if (name := turn.node_of(key))), None)
    if s.giving_up:
        turn.log("no defence", f"{verdict.reason}, {s.state}")
        turn.lower_address("not defended while stopping")
    elif isolated(turn) and challenger is not None:
        if s.state not in (State.STOPPING, State.MAINTENANCE):
            stop_package(turn, Goal.RELEASE, "isolated: the witness is out of reach and a peer challenges", challenger)
    else:
        turn.log("defend", f"{verdict.reason}: {', '.join(f'{key:#x}' for key in verdict.foreign)}")
        turn.set(repair=Repair.DEFEND)
        turn.preempt(Luns.LOCK, verdict.foreign, may_be_mounted=True)


def _rule_own(turn: Turn, verdict: Verdict) -> None:
    verified(turn)


def verified(turn: Turn) -> None:
    """A round proved ownership: only now may the address come back after a stall, and the watchdog be fed."""
    turn.set(verified_at=turn.now, unverified_since=None, unverified_gone=False)
    if turn.s.step is Step.RUN and not turn.s.suspended and address_is_due(turn):
        turn.raise_address()


def address_is_due(turn: Turn) -> bool:
    """From the first resource on, which is the database: earlier, its clients would slow its recovery down."""
    s = turn.s
    if s.up_to is not None or may_be_replaced(turn):
        return False
    if s.state in (State.OWNER, State.MAINTENANCE):
        return True
    waiting = [item.kind for item in s.plan]
    started = waiting.count("start") < len(s.config.resources) or not s.config.resources
    return s.state is State.STARTING and "activate" not in waiting and started


_RULES: dict[Finding, Callable[[Turn, Verdict], None]] = {
    Finding.LOST: _rule_lost,
    Finding.GONE: rule_unverified,
    Finding.UNVERIFIED: rule_unverified,
    Finding.EMPTY: _rule_repair,
    Finding.UNRESERVED: _rule_repair,
    Finding.UNREGISTERED_PATH: _rule_repair,
    Finding.FOREIGN_DATA: _rule_foreign_data,
    Finding.FOREIGN_LOCK: _rule_foreign_lock,
    Finding.OWN: _rule_own,
}
_NEXT = {
    Repair.SUSPEND: Repair.REGISTER_LOCK,
    Repair.REGISTER_LOCK: Repair.RESERVE_LOCK,
    Repair.RESERVE_LOCK: Repair.REGISTER_DATA,
    Repair.REGISTER_DATA: Repair.RESERVE_DATA,
    Repair.RESERVE_DATA: Repair.VERIFY,
}


def round_done(turn: Turn, event: Done) -> None:
    """Result of a defence or of a step of a repair."""
    repair = turn.s.repair
    if repair is Repair.RESUME and event.outcome is Outcome.OK:
        turn.set(repair=Repair.NONE, suspended=False, writes_held=False, poll_at=turn.now)
        verified(turn)
    elif repair in (Repair.DEFEND, Repair.PREEMPT_DATA):
        turn.set(repair=Repair.VERIFY if turn.s.suspended else Repair.NONE, poll_at=turn.now)
    elif event.outcome is Outcome.OK:
        turn.set(repair=_NEXT[repair], writes_held=turn.s.writes_held or repair is Repair.SUSPEND)
    elif event.outcome is Outcome.CONFLICT and repair is Repair.RESERVE_LOCK:
        eject(turn, "lost: another node reserved the lock LUN after the array restart")
    else:
        turn.log("repair", f"{repair} ended with {event.outcome}: {event.detail}")
        turn.set(repair=Repair.VERIFY)
        if repair is Repair.SUSPEND and turn.s.unverified_since is None:
            turn.set(unverified_since=turn.now)


def round_stalled(turn: Turn) -> None:
    """Frozen while mounted: re-verify before anything else; long enough to be replaced: the address goes first."""
    if turn.s.repair is not Repair.NONE and turn.s.repair is not Repair.NOTE:
        turn.set(repair=Repair.VERIFY if turn.s.suspended else Repair.NONE)
    turn.set(poll_at=turn.now)
