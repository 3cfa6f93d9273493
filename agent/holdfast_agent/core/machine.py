"""The ownership state machine: `step(state, event, now) -> (state, actions)`, one machine per package and node.

What always holds, whatever the order of events, crashes, freezes and lost messages, as long as the array keeps its
persistent reservations (APTPL):

1. *One writer.* The array accepts writes to a data LUN only from nodes whose key is registered there. This machine
   lets a node believe that it may write only between `Activate` and the proof that it stopped, and asks for
   `Activate` only after one look in which the lock LUN and every data LUN carried its key alone, reserved with
   type 5. Before that look it registered on the data LUNs, read the lock LUN as its own, and preempted the rest.
   A later winner of the lock LUN preempts our data keys before it reaches the same point. So of two nodes that
   believe, at most one is accepted.
2. *A registration on a data LUN is write permission.* A challenger registers on the lock LUN only. A node that has
   the package mounted registers on a data LUN again only with its maps suspended, and resumes them only after the
   lock LUN was read back as its own: what it wrote before a freeze cannot slip through a registration made after it.
3. *The lock LUN decides.* Taking it is PREEMPT AND ABORT of a named holder, or RESERVE when nobody holds it: both
   are atomic in the array, and both fail for a node whose key was removed. Nothing is won by a timer.
4. *The wait protects the owner, not the data.* A challenger without positive proof waits W and strikes only on an
   observation made after the wait; a healthy owner has removed its key by then.
5. *Ambiguity is resolved by reading.* A conflict, a timeout or an expired command never counts as an answer; the
   keys are read and the truth tables (`judge.py`, `challenge.py`) decide. No key at all is an array restart, another
   key in place of ours is a loss, no path is neither.
6. *A frozen node trusts nothing it knew.* After a gap longer than the tolerated stall, results under way are
   dropped, silence is measured anew, the watchdog is not fed and no step but a stop by force is taken until the lock
   LUN was read again; after a gap in which it may have been replaced, the address goes first.
7. *A node that cannot look does not wait for ever.* Without storage it believes a successor that it hears, lets the
   address go where it does not hear everybody, and gives up in the end; so does an agent that comes back.
8. *What cannot stop is stopped.* Loss trips the watchdog before anything else is tried; the node is fed again only
   after a proven clean stop, and registers again only after that proof or a reboot.
9. *The note on the lock LUN outlives its writer.* Release, stop, failure, maintenance and detachment are written
   there before they take effect; a challenger stands off from the last two until a person or a proven death.
10. *No ping-pong.* Evidence that lost a challenge is spent; unplanned moves and restarts are limited.

The machine has no clock: `now` is one monotonic clock of the node, never decreasing. It does no I/O.
"""

from __future__ import annotations

from dataclasses import replace

from holdfast_agent.core import actions as act
from holdfast_agent.core import challenge, rounds, standby, starting, stopping, working
from holdfast_agent.core.commands import attached, begin_note, command_given, note_written
from holdfast_agent.core.events import (
    Boot,
    Command,
    Done,
    Event,
    LunView,
    NetworkSeen,
    Observed,
    Outcome,
    PeerHeard,
    PeerReleased,
    PeerView,
    Problem,
    ResourceHealth,
    Tick,
    Verb,
)
from holdfast_agent.core.judge import Finding, Verdict, judge_round
from holdfast_agent.core.keys import same_node
from holdfast_agent.core.state import (
    ActionList,
    Goal,
    MachineState,
    PackageConfig,
    Peer,
    Repair,
    State,
    Step,
)
from holdfast_agent.core.turn import Turn

_RESTING = (State.STANDBY, State.STOPPED, State.FAILED)
_LOOKED_AFTER = (State.STARTING, State.OWNER, State.STOPPING, State.MAINTENANCE)
_RELEASING = (Step.RELEASE_NOTE, Step.RELEASE_DATA, Step.RELEASE_LOCK)


def initial_state(config: PackageConfig, now: float) -> MachineState:
    """A machine before its first event, which must be `Boot`."""
    peers = tuple(Peer(name, now) for name in config.nodes if name != config.node)
    return MachineState(config=config, now=now, key=config.key, since=now, poll_at=now, peers=peers,
                        beat_moved_at=now, witness_since=now)  # fmt: skip


def step(state: MachineState, event: Event, now: float) -> tuple[MachineState, ActionList]:
    """Apply one event. Pure; raises ValueError when time runs backwards."""
    if now < state.now:
        raise ValueError(f"time runs backwards: {now} after {state.now}")
    turn = Turn(state, now)
    if state.booted and now - state.now > turn.t.stall and state.state is not State.DETACHED:
        _stall(turn, now - state.now)
    _take(turn, event)
    if turn.s.booted:
        _drive(turn)
    return turn.s, tuple(turn.actions)


def next_deadline(state: MachineState) -> float:
    """When the machine wants its next `Tick` at the latest."""
    return state.now + state.config.timers.tick


def summary(state: MachineState) -> PeerView:
    """What this node's heartbeat says about the package."""
    storage_ok = not state.tripped and not rounds.says_storage_gone(state)
    if state.state in _RESTING or state.state is State.EJECTED:
        storage_ok = storage_ok and state.lock_readable
    return PeerView(state.state, state.key, state.term, standby.can_serve(Turn(state, state.now)), storage_ok)


def last_proof(state: MachineState) -> float | None:
    """When ownership of what runs here was last proven, for an agent that comes after this one.

    None also where the others stand off: there no age of a proof says anything.
    """
    if not state.active or state.verified_at < 0 or state.state in (State.MAINTENANCE, State.DETACHED):
        return None
    return state.verified_at


# -- events ------------------------------------------------------------------------------------------------------


def _take(turn: Turn, event: Event) -> None:
    match event:
        case Tick():
            pass
        case Boot():
            _booted(turn, event)
        case Observed():
            _observed(turn, event)
        case Done():
            _done(turn, event)
        case PeerHeard():
            _peer_heard(turn, event)
        case PeerReleased():
            if turn.s.state in _RESTING:
                turn.set(poll_at=turn.now)
        case NetworkSeen():
            seen = event.witness and event.link_up
            if seen is not turn.s.witness:
                turn.set(witness=seen, witness_since=turn.now)
                turn.log("witness", "reachable" if seen else "out of reach")
        case ResourceHealth():
            working.health_seen(turn, event)
        case Command():
            command_given(turn, event)


def _booted(turn: Turn, event: Boot) -> None:
    turn.set(booted=True, active=event.active)
    if event.active:
        turn.set(stalled=True, address=True, verified_at=-1e9 if event.proven_at is None else event.proven_at)
        turn.go(State.STARTING, Step.ADOPT, "found running at agent start: verifying")
        if event.proven_at is not None and turn.now - event.proven_at > turn.t.slow_limit:
            turn.log("address withheld", f"ownership was not proven for {turn.now - event.proven_at:.1f} s")
            turn.lower_address("the agents were away for long enough for a peer to take the package")
    else:
        turn.go(State.STANDBY, Step.IDLE, "started: nothing of the package runs here")


def _peer_heard(turn: Turn, event: PeerHeard) -> None:
    def heard(peer: Peer) -> Peer:
        if peer.node != event.node:
            return peer
        view, viewed_at = (event.view, turn.now) if event.view is not None else (peer.view, peer.viewed_at)
        back = not peer.heard_ever or turn.silent(peer, turn.t.silence)
        since = turn.now if back else peer.heard_since
        return Peer(peer.node, turn.now, heard_ever=True, heard_since=since, view=view, viewed_at=viewed_at)

    turn.set(peers=tuple(heard(peer) for peer in turn.s.peers))


def _done(turn: Turn, event: Done) -> None:
    s = turn.s
    if s.work is not None and s.work.command.id == event.id:
        working.work_done(turn, event)
    elif s.storage is not None and s.storage.command.id == event.id:
        turn.set(storage=None)
        _storage_done(turn, event)


def _storage_done(turn: Turn, event: Done) -> None:
    s = turn.s
    if s.state is State.CHALLENGING or (s.step is Step.WITHDRAW and s.state is State.STANDBY):
        challenge.challenge_done(turn, event)
    elif s.step in _RELEASING:
        stopping.release_done(turn, event)
    elif s.state is State.EJECTED:
        stopping.ejected_done(turn, event)
    elif s.step is Step.RUN and s.repair is Repair.NOTE:
        note_written(turn, event)
    elif s.step is Step.RUN:
        rounds.round_done(turn, event)
    elif s.state is State.STARTING:
        starting.start_done(turn, event)


def _observed(turn: Turn, event: Observed) -> None:
    pending = turn.s.storage
    if pending is None or pending.command.id != event.id:
        return
    turn.set(storage=None)
    _remember(turn, event, pending.asked_at)
    s = turn.s
    if s.step is Step.ADOPT:
        _adopt(turn, event)
    elif s.state is State.CHALLENGING:
        challenge.challenge_observed(turn, event)
    elif s.step is Step.RUN:
        rounds.round_observed(turn, event)
    elif s.state is State.STARTING:
        starting.start_observed(turn, event)
    elif s.state is State.EJECTED:
        stopping.ejected_observed(turn, event)


def _remember(turn: Turn, event: Observed, asked_at: float) -> None:
    """Keep what a look at the lock LUN showed, whoever asked for it."""
    lock = event.lock
    if lock.problem is not Problem.NONE:
        turn.set(lock_readable=False)
        return
    s = turn.s
    if s.step is not Step.RUN and s.step is not Step.ADOPT:
        turn.set(stalled=False)
    since = None if lock.holder is not None else s.unowned_since if s.unowned_since is not None else turn.now
    turn.set(lock=lock, lock_at=asked_at, lock_readable=True, look_due=False, unowned_since=since)
    if event.data:
        unread = any(view.problem is not Problem.NONE for view in event.data)
        held = any(view.holder == s.key for view in event.data)
        turn.set(holds_data=held or (unread and s.holds_data))
        keys = (key for view in event.data for key in view.keys)
        turn.set(past_on_data=tuple(dict.fromkeys(k for k in keys if k != s.key and same_node(k, s.key))))
    if event.beat is not None:
        moved = s.beat is None or (s.beat.key, s.beat.counter) != (event.beat.key, event.beat.counter)
        turn.set(beat=event.beat, beat_moved_at=asked_at if moved else s.beat_moved_at)
    if event.note is not None:
        turn.set(note=event.note, term=max(s.term, event.note.term))
        if not s.active and event.note.term > s.forgiven_term:
            failures = tuple(turn.now - age for age in event.note.failure_ages)
            turn.set(failures=failures, failed_nodes=event.note.failed_nodes)


# -- an agent that starts beside a running package -----------------------------------------------------------------


def _adopt(turn: Turn, event: Observed) -> None:
    """Take up a package that kept running while the agent did not: with the key that it runs under, or not at all."""
    lock = event.lock
    if lock.problem is not Problem.NONE or not event.data:
        finding = Finding.GONE if lock.problem is Problem.NO_PATHS else Finding.UNVERIFIED
        rounds.rule_unverified(turn, Verdict(finding, f"{lock.lun}: {lock.problem}"))
        return
    note_key = event.note.key if event.note is not None else None
    key = lock.holder if lock.holder is not None or lock.keys else note_key
    if key is None or not same_node(key, turn.s.config.key):
        stopping.eject(turn, "lost: the lock LUN went to another node while the agent was away")
        return
    turn.set(key=key)
    verdict = judge_round(key, lock, event.data, None)
    if verdict.finding is Finding.LOST:
        stopping.eject(turn, f"lost: {verdict.reason}")
    elif verdict.finding in (Finding.GONE, Finding.UNVERIFIED):
        rounds.rule_unverified(turn, verdict)
    else:
        turn.set(unverified_since=None, unverified_gone=False)
        attached(turn, event.note)


# -- time ----------------------------------------------------------------------------------------------------------


def _stall(turn: Turn, gap: float) -> None:
    """The node (or only this process) did not run for a while: nothing known before it counts."""
    now = turn.now
    turn.log("stall", f"no step for {gap:.2f} s: verifying before anything else")
    peers = tuple(p if p.dead else replace(p, heard_at=now) for p in turn.s.peers)
    turn.set(stalled=True, storage=None, peers=peers, beat_moved_at=now, poll_at=now)
    if turn.s.active and gap >= turn.t.replaced_after:
        turn.lower_address("stalled for long enough to have been replaced")
    if turn.s.state is State.CHALLENGING:
        challenge.challenge_stalled(turn)
    elif turn.s.step is Step.RUN:
        rounds.round_stalled(turn)
    elif turn.s.state is State.STARTING and turn.s.step is not Step.ADOPT:
        starting.start_stalled(turn)


def _late(turn: Turn) -> None:
    """A command whose deadline passed without an answer counts as timed out."""
    storage, work = turn.s.storage, turn.s.work
    if storage is not None and turn.storage_late():
        if isinstance(storage.command, act.Observe):
            _observed(turn, Observed(storage.command.id, LunView("lock LUN", Problem.TIMEOUT)))
        else:
            _done(turn, Done(storage.command.id, Outcome.TIMEOUT, "no answer"))
    if work is not None and turn.work_late():
        _done(turn, Done(work.command.id, Outcome.TIMEOUT, "no answer"))


def _drive(turn: Turn) -> None:
    """What time and the new knowledge ask for: at most one command per channel."""
    _late(turn)
    s = turn.s
    if s.step in (Step.RUN, Step.ADOPT) and s.state in _LOOKED_AFTER:
        rounds.give_up_when_due(turn)
    if turn.s.state is State.OWNER:
        _offer(turn)
    standby.consider(turn)
    if turn.s.step is Step.RUN:
        begin_note(turn)
    _drive_storage(turn)
    working.drive_work(turn)
    _drive_storage(turn)
    _feed(turn)
    _answer_failed_start(turn)


def _offer(turn: Turn) -> None:
    """An isolated owner gives way to a peer that can serve; automatic failback, where it was asked for."""
    s, t = turn.s, turn.t
    if s.plan or s.work is not None or s.repair is not Repair.NONE or s.pending_note is not None or s.stalled:
        return
    if s.witness is False and turn.now - s.witness_since >= t.isolation_hold:
        target = rounds.peer_can_serve(turn)
        if target is not None:
            turn.set(failures=(*standby.recent_failures(turn), turn.now))
            stopping.stop_package(turn, Goal.RELEASE, "isolated: the witness is out of reach", target)
        return
    home = s.config.nodes[0]
    settled = turn.now - s.since >= t.cold_start_wait
    if s.config.failback == "automatic" and home != s.config.node and settled and s.witness is not False:
        peer = turn.peer(home)
        if peer is not None and peer.view is not None and peer.view.can_serve and not turn.silent(peer, t.suspect):
            stopping.stop_package(turn, Goal.RELEASE, f"automatic failback to {home}", home, planned=True)


def _drive_storage(turn: Turn) -> None:
    s = turn.s
    if s.storage is not None:
        return
    if s.step is Step.ADOPT:
        if turn.now >= s.poll_at:
            turn.set(poll_at=turn.now + turn.t.defend)
            turn.observe(data=True)
    elif s.state in _RESTING:
        _drive_resting(turn)
    elif s.state is State.CHALLENGING:
        challenge.drive_challenge(turn)
    elif s.step in _RELEASING:
        stopping.drive_release(turn)
    elif s.state is State.EJECTED:
        stopping.drive_ejected(turn)
    elif s.step is Step.RUN:
        rounds.drive_rounds(turn)
    elif s.state is State.STARTING:
        starting.drive_start(turn)


def _drive_resting(turn: Turn) -> None:
    if turn.s.step is Step.WITHDRAW:
        challenge.drive_challenge(turn)
    elif turn.now >= turn.s.poll_at:
        turn.set(poll_at=turn.now + turn.t.poll)
        turn.observe()


def _feed(turn: Turn) -> None:
    """Vouch for the node: never while tripped, nor while a mounted package waits to be verified after a stall.

    An adoption that waits for the storage has an end of its own.
    """
    s = turn.s
    unproven = s.active and s.stalled and s.step is not Step.ADOPT
    if s.tripped or unproven or s.fed_until - turn.now >= turn.t.vouch / 2:
        return
    turn.set(fed_until=turn.now + turn.t.vouch)
    turn.do(act.FeedWatchdog(turn.s.fed_until))


def _answer_failed_start(turn: Turn) -> None:
    s = turn.s
    if s.waiting is not None and s.waiting.verb is Verb.START and s.state in _RESTING and s.step is Step.IDLE:
        stopping.answer_waiting(turn, False, s.reason)
