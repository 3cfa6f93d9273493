"""The simulation bites: each guard of the state machine removed in turn must be caught by it.

A guard is removed by replacing one function or one entry of a table; the same schedules that pass with the guard
must then end in a violation or fail a scenario. A mutation that survives is a hole in the simulation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from holdfast_agent.core import challenge, judge, machine, rounds, standby, starting, stopping, working
from holdfast_agent.core import events as ev
from holdfast_agent.core.judge import Finding
from holdfast_agent.core.state import Repair, State, Step

from tests.unit.agent.core.sim import Cluster, Violation
from tests.unit.agent.core.sim_faults import FAULTS, run_schedule

Patch = pytest.MonkeyPatch


def walks(seeds: int = 150, faults: Any = FAULTS, nodes: int = 2) -> None:
    for seed in range(seeds):
        run_schedule(seed, nodes, faults)


def heartbeat_cut() -> None:
    """Healthy owner, heartbeats cut for 30 s: no move, few challenges."""
    c = Cluster(7)
    c.run(4.0)
    first, before = c.owners()[0], c.array.lock.generation
    c.cut.update((a.name, b.name) for a in c.nodes for b in c.nodes)
    c.run(34.0)
    if c.owners() != [first] or c.moves:
        raise Violation("a healthy owner was moved")
    if c.array.lock.generation - before > 8:
        raise Violation("challenges storm")


def frozen_at_every_command() -> None:
    """Three nodes, the owner dies; each of its two successors is frozen at every one of its commands in turn."""
    for first in range(1, 16):
        for second in (0, 8, 11):
            c = Cluster(first * 100 + second, 3)
            c.run(4.0)
            owner = c.owners()[0]
            heirs = [node for node in c.nodes if node is not owner]
            heirs[0].freeze_at = (heirs[0].commands + 1 + first, 3.0)
            if second:
                heirs[1].freeze_at = (heirs[1].commands + 1 + second, 4.0)
            c.power_off(owner)
            c.run(16.0)


def owner_frozen_at_every_command() -> None:
    """A path without registration makes the owner repair; it is frozen at every command of the repair in turn."""
    for command in range(1, 14):
        c = Cluster(command)
        c.run(4.0)
        owner = c.owners()[0]
        for lun in c.array.luns:
            lun.registered.pop((owner.name, 1), None)
        owner.freeze_at = (owner.commands + command, 3.0)
        c.run(12.0)


def drop_verify(patch: Patch) -> None:
    """Mount without the last look."""

    def done(turn: Any, event: Any) -> None:
        note = turn.s.step is Step.WRITE_NOTE
        original(turn, event)
        if note and turn.s.step is Step.VERIFY:
            starting._begin_run(turn)

    original = starting.start_done
    patch.setattr(starting, "start_done", done)


def drop_lock_check(patch: Patch) -> None:
    """Believe that the lock LUN is still ours at every look after the data LUNs were registered on."""
    original = starting.start_observed

    def observed(turn: Any, event: Any) -> None:
        if turn.s.step is Step.CHECK_LOCK:
            starting._claim(turn, event)
        elif turn.s.step is Step.VERIFY and all(view.holder == turn.s.key for view in event.data):
            starting._begin_run(turn)
        else:
            original(turn, event)

    patch.setattr(starting, "start_observed", observed)


def drop_data_preempt(patch: Patch) -> None:
    """Neither remove other keys from the data LUNs nor ask for the reservation there, and mount all the same."""
    patch.setattr(starting, "foreign_keys", lambda views, own: ())
    patch.setitem(starting._AFTER, Step.REGISTER_DATA, Step.WRITE_NOTE)
    patch.setattr(starting, "judge_round", lambda *args: judge.Verdict(Finding.OWN))


def drop_loss(patch: Patch) -> None:
    """Never notice that the package was lost."""
    patch.setattr(judge, "_lost", lambda view, own: None)
    patch.setitem(rounds._RULES, Finding.LOST, rounds._rule_own)
    for finding in (Finding.EMPTY, Finding.UNRESERVED, Finding.FOREIGN_DATA, Finding.FOREIGN_LOCK):
        patch.setitem(rounds._RULES, finding, rounds._rule_own)
    patch.setitem(rounds._RULES, Finding.UNREGISTERED_PATH, rounds._rule_own)


def drop_suspend(patch: Patch) -> None:
    """Repair with the writes running."""

    def repair(turn: Any, verdict: Any) -> None:
        turn.set(repair=Repair.REGISTER_DATA)

    for finding in (Finding.EMPTY, Finding.UNRESERVED, Finding.UNREGISTERED_PATH):
        patch.setitem(rounds._RULES, finding, repair)


def drop_defence(patch: Patch) -> None:
    patch.setitem(rounds._RULES, Finding.FOREIGN_LOCK, rounds._rule_own)


def drop_wait(patch: Patch) -> None:
    patch.setattr(challenge, "PROVEN", frozenset(challenge.Evidence))


def drop_spent(patch: Patch) -> None:
    original = standby.find_evidence

    def forgetful(turn: Any, peer: Any, holder: int) -> Any:
        turn.set(spent=())
        return original(turn, peer, holder)

    patch.setattr(standby, "find_evidence", forgetful)


def drop_empty_rule(patch: Patch) -> None:
    """Take an array restart for a loss: not unsafe, but the owner must stay."""
    patch.setitem(rounds._RULES, Finding.EMPTY, rounds._rule_lost)


def drop_trip(patch: Patch) -> None:
    """A lost package that is not stopped."""
    patch.setattr(rounds, "eject", lambda turn, reason: turn.log("lost", reason))


def drop_rollback(patch: Patch) -> None:
    """A node that cannot run the package keeps trying."""
    patch.setattr(working, "leave_node", lambda turn, reason: turn.set(tries=0))


def drop_kept_reservation(patch: Patch) -> None:
    """Take the reservation off the data LUNs whoever may still have the package mounted."""
    patch.setattr(stopping, "_asleep_somewhere", lambda turn: [])


def drop_successor(patch: Patch) -> None:
    """An owner that cannot ask the array believes nobody."""
    patch.setattr(rounds, "_successor", lambda turn: None)


def drop_let_go(patch: Patch) -> None:
    """It keeps the address, however long its last proof is ago and whoever is not heard."""
    patch.setattr(rounds, "may_be_replaced", lambda turn: False)


def drop_adoption_limit(patch: Patch) -> None:
    """An agent that comes back waits for its first look, however long that takes."""
    original = rounds.give_up_when_due
    patch.setattr(rounds, "give_up_when_due", lambda turn: turn.s.step is Step.ADOPT or original(turn))


def owner_without_storage(*, hears: bool, agent_dies: bool = False) -> None:
    """All paths of the owner are gone, and the other node does not hear it: it takes the package before anybody gave it up."""
    c = Cluster(7)
    c.run(4.0)
    owner = c.owners()[0]
    (other,) = (node for node in c.nodes if node is not owner)
    owner.paths.update(dict.fromkeys(owner.paths, False))
    c.cut.add((owner.name, other.name))
    if not hears:
        c.cut.add((other.name, owner.name))
    if agent_dies:
        c.kill_agent(owner)
    c.run(30.0)
    if not other.address:
        raise ValueError("the takeover was not played")


def hearing_its_successor() -> None:
    owner_without_storage(hears=True)


def hearing_nobody() -> None:
    owner_without_storage(hears=False)


def with_an_agent_that_comes_back() -> None:
    owner_without_storage(hears=True, agent_dies=True)


def stopped_beside_a_sleeper() -> None:
    """Owner frozen, replaced, the new owner stopped in order: the old one wakes up with writes of its own."""
    c = Cluster(7)
    c.run(4.0)
    old = c.owners()[0]
    c.freeze(old, 20.0)
    c.run(14.0)
    new = next(node for node in c.owners() if node is not old)
    c.command(new, ev.Verb.STOP)
    c.run(30.0)
    if new.state is None or new.state.state is not State.STOPPED:
        raise ValueError("the stop was not played")


def cleared_keys() -> None:
    c = Cluster(7)
    c.run(4.0)
    first = c.owners()[0]
    for lun in c.array.luns:
        lun.clear()
    c.run(5.0)
    if c.owners() != [first] or first.state is None or first.state.state is not State.OWNER:
        raise Violation("keys cleared by hand cost the package")


def broken_everywhere() -> None:
    c = Cluster(7)
    c.run(4.0)
    for node in c.nodes:
        node.broken.add("db")
    c.fail_resource(c.owners()[0], "db")
    c.run(30.0)
    if any(n.state is not None and n.state.state is not State.FAILED for n in c.nodes):
        raise Violation("a package that starts nowhere is tried for ever")


Mutation = Callable[[Patch], None]
MUTATIONS: list[tuple[Mutation, Callable[[], None]]] = [
    (drop_verify, frozen_at_every_command),
    (drop_lock_check, frozen_at_every_command),
    (drop_data_preempt, lambda: walks(60)),
    (drop_loss, lambda: walks(60)),
    (drop_suspend, owner_frozen_at_every_command),
    (drop_defence, heartbeat_cut),
    (drop_wait, heartbeat_cut),
    (drop_spent, heartbeat_cut),
    (drop_empty_rule, cleared_keys),
    (drop_trip, lambda: walks(60)),
    (drop_rollback, broken_everywhere),
    (drop_kept_reservation, stopped_beside_a_sleeper),
    (drop_successor, hearing_its_successor),
    (drop_let_go, hearing_nobody),
    (drop_adoption_limit, with_an_agent_that_comes_back),
]


@pytest.mark.parametrize(
    "play",
    [
        heartbeat_cut,
        frozen_at_every_command,
        owner_frozen_at_every_command,
        cleared_keys,
        broken_everywhere,
        stopped_beside_a_sleeper,
        hearing_its_successor,
        hearing_nobody,
        with_an_agent_that_comes_back,
    ],
)
def test_whole_machine_passes(play: Callable[[], None]) -> None:
    play()


@pytest.mark.parametrize(("mutate", "play"), MUTATIONS, ids=[m.__name__ for m, _ in MUTATIONS])
def test_removed_guard_is_caught(mutate: Mutation, play: Callable[[], None], monkeypatch: Patch) -> None:
    mutate(monkeypatch)
    with pytest.raises((Violation, AssertionError)):
        play()


def test_machine_is_whole_again() -> None:
    """The patches above are undone: the table of rules is the one of the source."""
    assert rounds._RULES[Finding.LOST] is rounds._rule_lost and machine.rounds is rounds
