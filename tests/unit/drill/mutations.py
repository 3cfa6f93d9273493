"""Deliberate breaks of the cluster, applied to a recorded history, and what must come of them.

Every runbook names in `must_catch` the breaks that it has to notice; `test_mutations.py` plays them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from holdfast.drill.verdict.history import Attempt, FinalRead, History, LunView, NodeSample
from holdfast.drill.verdict.result import Verdict
from tests.unit.drill.world import MACS, VIP, key


@dataclass(frozen=True)
class Mutation:
    """What is broken, the check that has to notice, and the verdict of the whole run."""

    apply: Callable[[History], History]
    check: str
    verdict: Verdict = Verdict.FAIL


def _act(history: History) -> tuple[float, float]:
    act = history.phase("act")
    assert act is not None
    return act.started, act.ended


def _samples(history: History, change: Callable[[NodeSample], NodeSample]) -> History:
    return replace(history, samples=tuple(change(s) for s in history.samples))


def _view(*nodes: str, holder: str) -> LunView:
    return LunView(frozenset(key(n, 5) for n in nodes), key(holder, 5), 2, 2)


def lost_row(history: History) -> History:
    """One acknowledged transaction is not there any more."""
    victim = next(a for a in history.attempts if a.role == "writer" and a.outcome == "ok" and a.seq == 5)
    reads = tuple(_without(read, victim) for read in history.finals)
    return replace(history, finals=reads)


def _without(read: FinalRead, victim: Attempt) -> FinalRead:
    rows = {w: {s: n for s, n in found.items() if (w, s) != (victim.worker, victim.seq)}
            for w, found in read.rows.items()}  # fmt: skip
    return replace(read, rows=rows)


def slow_outage(history: History) -> History:
    """Service comes back ten minutes late (all later times are moved with it)."""
    start, _ = _act(history)
    late = 600.0

    def move(time: float) -> float:
        return time + late if time > start + 0.5 else time

    attempts = tuple(replace(a, start=move(a.start), end=move(a.end)) for a in history.attempts)
    phases = tuple(replace(p, started=move(p.started), ended=move(p.ended)) for p in history.phases)
    return replace(history, attempts=attempts, phases=phases)


def no_move(history: History) -> History:
    """The node that should take over never does."""
    return _owned_by(history, lambda t: "node1", from_start=True)


def unneeded_move(history: History) -> History:
    """The standby takes a healthy package over and keeps it."""
    start, _ = _act(history)
    return _owned_by(history, lambda t: "node2" if t > start + 2 else "node1")


def ping_pong(history: History) -> History:
    """The package changes nodes every two seconds."""
    start, _ = _act(history)
    return _owned_by(history, lambda t: "node2" if int((t - start) // 2) % 2 else "node1")


def _owned_by(history: History, owner: Callable[[float], str], from_start: bool = False) -> History:
    start, end = _act(history)

    def change(sample: NodeSample) -> NodeSample:
        if not (from_start or start <= sample.time) or sample.time > end:
            return sample
        holder = owner(sample.time)
        mine = sample.node == holder
        luns = {lun: _view(holder, holder=holder) for lun in sample.luns}
        return replace(sample, mounted=mine, addresses=frozenset({VIP} if mine else ()), luns=luns)

    return _samples(history, change)


def two_writers(history: History) -> History:
    """Both nodes have the data mounted and registered for two seconds."""
    start, _ = _act(history)

    def change(sample: NodeSample) -> NodeSample:
        if not start - 3 < sample.time < start - 1:
            return sample
        return replace(sample, mounted=True, luns={n: _view("node1", "node2", holder="node1") for n in sample.luns})

    return _samples(history, change)


def fence_off(history: History) -> History:
    """The array accepts the writes of a node that does not own the package."""
    return replace(history, writes=tuple(replace(w, refused=False) for w in history.writes))


def path_untried(history: History) -> History:
    """One path of a node without the package was not tried, so nobody knows whether the array refuses it."""
    first = next(w for w in history.writes if w.expected_refused)
    return replace(history, writes=tuple(w for w in history.writes if w is not first))


def path_unregistered(history: History) -> History:
    """A path of the owner came back without its registration."""
    first = next(w for w in history.writes if not w.expected_refused)
    return replace(history, writes=tuple(replace(w, refused=True) if w is first else w for w in history.writes))


def address_not_following(history: History) -> History:
    """The address stays on the node that lost the package."""
    start, end = _act(history)

    def change(sample: NodeSample) -> NodeSample:
        if not start + 4 < sample.time < end:
            return sample
        lost = sample.node != "node2"
        luns = {lun: _view("node2", holder="node2") for lun in sample.luns}
        return replace(sample, addresses=frozenset({VIP} if lost else ()), luns=luns)

    late = tuple(replace(s, node="node1", time=start + 5 + n / 4, addresses=frozenset({VIP}), mounted=False,
                         luns={lun: _view("node2", holder="node2") for lun in s.luns})
                 for n, s in enumerate(history.samples[:20]))  # fmt: skip
    changed = _samples(history, change)
    return replace(changed, samples=(*changed.samples, *late))


def second_address(history: History) -> History:
    """Both nodes answer for the address for three seconds."""
    start, _ = _act(history)
    both = frozenset(MACS.values())
    return replace(history, address_samples=tuple(
        replace(s, macs=both) if start + 1 < s.time < start + 4 else s for s in history.address_samples
    ))  # fmt: skip


def inactive_fault(history: History) -> History:
    """The fault that was to be injected did nothing."""
    return replace(history, faults=tuple(replace(f, active=False, proof="no effect seen") for f in history.faults))


def client_error(history: History) -> History:
    """One client saw an error although none was to be seen."""
    start, _ = _act(history)
    victim = next(a for a in history.attempts if a.start > start + 1 and a.outcome == "ok" and a.role == "reader")
    broken = replace(victim, outcome="fail", stage="execute", error="server closed the connection")
    return replace(history, attempts=tuple(broken if a is victim else a for a in history.attempts))


def pooler_not_paused(history: History) -> History:
    """The package moved while its poolers let clients through: each of them lost the transaction that it had under way."""
    start, _ = _act(history)
    first: dict[str, Attempt] = {}
    for attempt in history.attempts:
        if attempt.start > start:
            first.setdefault(attempt.worker, attempt)
    cut = {id(a): replace(a, outcome="indeterminate" if a.role == "writer" else "fail", stage="commit", seen={},
                          error="server conn crashed?") for a in first.values()}  # fmt: skip
    return replace(history, attempts=tuple(cut.get(id(a), a) for a in history.attempts))


def damaged_data(history: History) -> History:
    """The database's own tool finds a damaged page."""
    broken = replace(history.integrity[0], good=False, words="1 damaged pages: block 5 of base/5/16398")
    return replace(history, integrity=(broken, *history.integrity[1:]))


def leftover_state(history: History) -> History:
    """A rule of a fault is still there afterwards."""
    after = {**history.state_after, "node2": {**history.state_after["node2"], "leftovers": ["nft table"]}}
    return replace(history, state_after=after)


def silent_stop(history: History) -> History:
    """The package is down and nobody says why."""
    steps = tuple(replace(s, outcome="failed", detail="no agent gives a reason") if "reason" in s.name else s
                  for s in history.steps)  # fmt: skip
    return replace(history, steps=steps)


MUTATIONS: dict[str, Mutation] = {
    "lost_row": Mutation(lost_row, "acknowledged"),
    "slow_outage": Mutation(slow_outage, "outage"),
    "no_move": Mutation(no_move, "end_owner"),
    "unneeded_move": Mutation(unneeded_move, "moves"),
    "ping_pong": Mutation(ping_pong, "moves"),
    "two_writers": Mutation(two_writers, "one_writer"),
    "fence_off": Mutation(fence_off, "writes_refused"),
    "path_untried": Mutation(path_untried, "writes_refused", Verdict.UNKNOWN),
    "path_unregistered": Mutation(path_unregistered, "owner_paths"),
    "address_not_following": Mutation(address_not_following, "address_follows"),
    "second_address": Mutation(second_address, "one_address"),
    "inactive_fault": Mutation(inactive_fault, "faults", Verdict.UNKNOWN),
    "client_error": Mutation(client_error, "client_errors"),
    "pooler_not_paused": Mutation(pooler_not_paused, "client_errors"),
    "leftover_state": Mutation(leftover_state, "state"),
    "damaged_data": Mutation(damaged_data, "integrity"),
    "silent_stop": Mutation(silent_stop, "steps"),
}
