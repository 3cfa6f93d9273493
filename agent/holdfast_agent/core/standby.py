"""A node without the package: what it makes of the lock LUN, and whether it has evidence to act on.

`consider` runs after every fresh observation and on ticks. It is the only place where a challenge begins.
"""

from __future__ import annotations

from holdfast_agent.core.events import Flag, Note, Problem
from holdfast_agent.core.keys import same_cluster, same_node
from holdfast_agent.core.state import PROVEN, Challenge, Evidence, Peer, State, Step
from holdfast_agent.core.turn import Turn

_RESTING = (State.STANDBY, State.STOPPED, State.FAILED)
_CLOSED = {Flag.STOPPED: State.STOPPED, Flag.FAILED: State.FAILED}
_HANDS_OFF = (Flag.MAINTENANCE, Flag.DETACHED)
BUSY = ("owner", "starting", "stopping", "maintenance", "detached")
"""States of a node that has won the lock LUN and not given it up."""


def consider(turn: Turn) -> None:
    """Decide what a resting node does about the lock LUN it last read."""
    s = turn.s
    if s.state not in _RESTING or s.step is not Step.IDLE or not s.booted or s.lock is None or not s.lock_readable:
        return
    if s.storage is not None or s.stalled or s.look_due or turn.now < s.hold_until:
        return
    if standing_off(turn) or closed(turn):
        return
    holder = s.lock.holder
    if holder is None:
        _consider_unowned(turn)
    elif same_node(holder, s.key):
        _consider_own_past(turn, holder)
    elif not same_cluster(holder, s.key) or turn.node_of(holder) is None:
        _refuse_stranger(turn, holder)
    else:
        _consider_owned(turn, holder)


def standing_off(turn: Turn) -> bool:
    """Does the note forbid a challenge? Only a person or the proven death of the note's node overrides it."""
    note = turn.s.note
    if note is None or note.flag not in _HANDS_OFF or turn.s.override_term == note.term:
        return False
    node = turn.node_of(note.key)
    peer = turn.peer(node)
    if peer is not None and peer.dead:
        return False
    turn.go(State.STANDBY, Step.IDLE, f"stands off: {note.flag} on {node}")
    return True


def left_by_holder(turn: Turn) -> Flag | None:
    """What the note says about the package, where who wrote it still holds the lock LUN or nobody does."""
    note, lock = turn.s.note, turn.s.lock
    return note.flag if note is not None and lock is not None and lock.holder in (None, note.key) else None


def closed(turn: Turn) -> bool:
    """Stopped, or left failed? The note is written after the stop: keys that stay behind it belong to nothing that runs."""
    flag, note = left_by_holder(turn), turn.s.note
    if flag not in _CLOSED or note is None or turn.s.override_term == note.term:
        return False
    turn.go(_CLOSED[flag], Step.IDLE, note.reason or f"left {flag} by an operator")
    return True


def _refuse_stranger(turn: Turn, holder: int) -> None:
    turn.go(State.STANDBY, Step.IDLE, f"refused: the lock LUN is reserved by a stranger's key {holder:#x}")


def _consider_own_past(turn: Turn, holder: int) -> None:
    """The holder is this node itself: it was rebooted, or it gave up and nobody took over. Nothing runs here."""
    if turn.s.state in (State.STOPPED, State.FAILED) and not _reopened(turn.s.note):
        return
    if _flapping(turn):
        return
    begin(turn, Evidence.OWN_PAST, (Evidence.OWN_PAST, holder), holder)
    if holder == turn.s.key:
        turn.go(State.STARTING, Step.RECHECK, "still holds the lock LUN: nobody took over")


def _reopened(note: Note | None) -> bool:
    return note is not None and note.flag is Flag.OWNED


def _consider_owned(turn: Turn, holder: int) -> None:
    """Another node holds the package."""
    s = turn.s
    if s.state is not State.STANDBY and _reopened(s.note) and not _over_limit(turn):
        turn.go(State.STANDBY, Step.IDLE, "the package runs elsewhere")
    if s.state is not State.STANDBY:
        return
    peer = turn.peer(turn.node_of(holder))
    if peer is None:
        return
    found = find_evidence(turn, peer, holder)
    turn.set(spent=tuple(mark for mark in s.spent if any(mark == there for _, there in found)))
    if not found:
        turn.go(State.STANDBY, Step.IDLE, f"{peer.node} owns the package")
        return
    if s.config.node in s.failed_nodes:
        turn.go(State.STANDBY, Step.IDLE, "the package could not be started here")
        return
    s = turn.s
    for evidence, mark in found:
        if s.witness is not True and evidence not in PROVEN:
            turn.go(State.STANDBY, Step.IDLE, f"{peer.node} is suspect, but the own client network is not proven")
        elif mark not in s.spent:
            if not _flapping(turn):
                begin(turn, evidence, mark, holder)
            return


Found = tuple[Evidence, tuple[object, ...]]


def find_evidence(turn: Turn, peer: Peer, holder: int) -> list[Found]:
    """All evidence against the holder, strongest first, each with the mark that tells new evidence from old.

    Only silence lasts beyond a lost challenge: an owner that is dead, isolated or without storage does not defend, so
    a later beat or heartbeat that says so again is new.
    """
    s, now, t = turn.s, turn.now, turn.t
    found: list[Found] = []
    if peer.dead:
        found.append((Evidence.DEAD, (Evidence.DEAD, holder)))
    if s.beat is not None and s.beat.key == holder:
        if not s.beat.serving:
            found.append((Evidence.ISOLATED, (Evidence.ISOLATED, holder, s.beat.counter)))
        if s.lock_at - s.beat_moved_at >= t.beat_stall and now - s.beat_moved_at >= t.beat_stall:
            found.append((Evidence.BEAT, (Evidence.BEAT, holder, s.beat.counter)))
    said = peer.view if not turn.silent(peer, t.silence) else None
    # A node at rest that has not looked at the lock LUN since its release says so too; that is no owner in need.
    if said is not None and not said.storage_ok and said.key == holder and said.state not in _RESTING:
        found.append((Evidence.STORAGE, (Evidence.STORAGE, holder, peer.viewed_at)))
    if turn.silent(peer, t.suspect):
        found.append((Evidence.SILENT, (Evidence.SILENT, holder, peer.heard_at)))
    return found


def _flapping(turn: Turn) -> bool:
    """I7: too many unplanned moves within the period leave the package down, with a reason."""
    if not _over_limit(turn):
        return False
    count, period = len(recent_failures(turn)), turn.s.config.flap_period
    turn.go(State.FAILED, Step.IDLE, f"{count} unplanned moves within {period:g} s: left down")
    return True


def _over_limit(turn: Turn) -> bool:
    return len(recent_failures(turn)) >= turn.s.config.flap_limit


def recent_failures(turn: Turn) -> tuple[float, ...]:
    period = turn.s.config.flap_period
    return tuple(at for at in turn.s.failures if turn.now - at < period)


def _consider_unowned(turn: Turn) -> None:
    """Nobody holds the lock LUN: after an ordered release, at a cold start, or after an array restart."""
    s = turn.s
    assert s.lock is not None
    note = s.note
    if s.state is not State.STANDBY or not s.config.auto_start:
        return
    if s.config.node in s.failed_nodes or s.witness is False:
        return
    busy = next((p.node for p in s.peers if _alive_and_busy(turn, p)), None)
    if busy is not None:
        return
    released = note is not None and note.flag is Flag.RELEASED and note.key not in s.lock.keys
    if released:
        assert note is not None
        _consider_released(turn, note)
    elif _flapping(turn):
        return
    else:
        _consider_cold(turn)


def _alive_and_busy(turn: Turn, peer: Peer) -> bool:
    view = peer.view
    return view is not None and view.state in BUSY and not peer.dead and not turn.silent(peer, turn.t.silence)


def _consider_released(turn: Turn, note: Note) -> None:
    """The note proves a clean stop. The target starts at once; the others only after it had its chance.

    A target that has fallen silent has had it after one more look of its own at the lock LUN.
    """
    s, t = turn.s, turn.t
    since = s.unowned_since if s.unowned_since is not None else turn.now
    waited = turn.now - since
    if note.target is not None and note.target != s.config.node:
        target = turn.peer(note.target)
        gone = target is None or target.dead or turn.silent(target, t.silence)
        if waited < (t.silence + t.poll if gone else t.target_wait) + rank(turn, None) * t.rank_step:
            turn.go(State.STANDBY, Step.IDLE, f"released for {note.target}")
            return
    elif note.target is None and waited < rank(turn, None) * t.rank_step:
        return
    begin(turn, Evidence.RELEASED, (Evidence.RELEASED, note.term), None)


def _consider_cold(turn: Turn) -> None:
    """No owner and no proof of a clean stop: everybody present, or long enough alone; then the full wait."""
    s, t = turn.s, turn.t
    since = s.unowned_since if s.unowned_since is not None else turn.now
    unheard = [p.node for p in s.peers if not p.dead and (not p.heard_ever or turn.silent(p, t.silence))]
    if unheard and turn.now - since < t.cold_start_wait:
        turn.go(State.STANDBY, Step.IDLE, f"nobody owns the package; waiting for {', '.join(unheard)}")
        return
    if s.witness is not True:
        return
    first = next((p.node for p in s.peers if _goes_first(turn, p, since)), None)
    if first is not None:
        turn.go(State.STANDBY, Step.IDLE, f"nobody owns the package; {first} goes first")
        return
    begin(turn, Evidence.UNOWNED, (Evidence.UNOWNED, since), None)


def _goes_first(turn: Turn, peer: Peer, unowned_since: float) -> bool:
    """Does a cold start still leave the package to this node, which is in front of the own one in order of preference?

    One that says that it could serve has as long as the target of a move. One that does not say so yet may have booted just
    now, and has the time of its first looks.
    """
    s, t = turn.s, turn.t
    in_front = s.config.nodes[: s.config.nodes.index(s.config.node)]
    if peer.node not in in_front or peer.node in s.failed_nodes or peer.dead or turn.silent(peer, t.silence):
        return False
    could_serve = peer.view is not None and peer.view.can_serve
    return turn.now - max(unowned_since, peer.heard_since) < (t.target_wait if could_serve else t.silence + t.poll)


def rank(turn: Turn, victim: str | None) -> int:
    """Position of this node among the nodes in preference order that look alive, without the victim."""
    s = turn.s
    number = 0
    for node in s.config.nodes:
        if node == s.config.node:
            return number
        peer = turn.peer(node)
        alive = peer is not None and not peer.dead and not turn.silent(peer, turn.t.suspect)
        if node != victim and alive and node not in s.failed_nodes:
            number += 1
    return number


def begin(turn: Turn, evidence: Evidence, mark: tuple[object, ...], victim: int | None) -> None:
    """Start a challenge: REGISTER on the lock LUN only."""
    node = turn.node_of(victim) if victim is not None else None
    turn.set(challenge=Challenge(evidence, mark, victim, node), unplanned=evidence not in (
        Evidence.RELEASED, Evidence.OPERATOR, Evidence.UNOWNED))  # fmt: skip
    note = turn.s.note
    planned = evidence is Evidence.RELEASED and note is not None and note.target == turn.s.config.node
    turn.set(up_to=None, planned_from=note.previous if planned and note is not None else None)
    turn.go(State.CHALLENGING, Step.REGISTER, f"{node or 'the package'}: {evidence}")


def can_serve(turn_state: Turn) -> bool:
    """Would this node take the package if it were free? Told to the peers in every heartbeat.

    A challenger would: else one late heartbeat makes an owner whose database just failed leave the package down.
    """
    s = turn_state.s
    return (
        s.state in (State.STANDBY, State.CHALLENGING)
        and s.witness is not False
        and s.lock_readable
        and s.lock is not None
        and s.lock.problem is Problem.NONE
        and s.config.node not in s.failed_nodes
    )
