"""More rows of the failure table on the simulation: starts, messages, slow and blocked storage, two faults at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from holdfast_agent.core import actions as act
from holdfast_agent.core import events as ev
from holdfast_agent.core.state import State
from holdfast_agent.core.timers import FAST

from tests.unit.agent.core.sim import RESOURCES, Cluster, Node


def serving(seed: int = 7, nodes: int = 2) -> tuple[Cluster, Node, list[Node]]:
    """A cluster in service, its owner and the others in order of preference."""
    c = Cluster(seed, nodes)
    c.run(4.0)
    assert c.in_service()
    owner = c.owners()[0]
    return c, owner, [node for node in c.nodes if node is not owner]


def stays(c: Cluster, owner: Node, seconds: float) -> None:
    """Clients of this owner notice nothing for so long."""
    end = c.now + seconds
    while c.now < end:
        c.run(c.now + 0.1)
        assert owner.address and owner.mounted and owner.running == set(RESOURCES)
        assert c.owners() == [owner]


def answer_instead(c: Cluster, monkeypatch: pytest.MonkeyPatch, answer: Callable[[Node, Any], ev.Event | None]) -> None:
    """Storage and kernel answer what `answer` returns; None: as they are."""
    perform = c.perform
    monkeypatch.setattr(c, "perform", lambda node, action: answer(node, action) or perform(node, action))


# -- starts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nodes", [2, 3])
@pytest.mark.parametrize("seed", range(20))
def test_all_nodes_start_at_once(seed: int, nodes: int) -> None:
    c = Cluster(seed, nodes)
    c.run(6.0)
    assert c.in_service() and c.moves == 0


def test_a_node_that_starts_alone_waits_for_the_others_first() -> None:
    c = Cluster(3)
    c.power_off(c.nodes[1])
    c.run(FAST.cold_start_wait - 1.0)
    assert c.owners() == []
    c.run(FAST.cold_start_wait + 4.0)
    assert c.in_service() and c.owners() == [c.nodes[0]]


@pytest.mark.parametrize("first_look", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("later", [0.1, 0.5, 1.0, 3.0, 10.0])
def test_a_node_that_is_slower_to_boot_still_gets_the_package_that_prefers_it(
    later: float, first_look: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its heartbeats are heard before it has looked at the lock LUN itself."""
    c = Cluster(5)
    preferred, _ = c.nodes
    c.power_off(preferred)
    c.at(later, lambda: c.boot(preferred))
    execute = c.execute

    def late(node: Node, life: int, action: Any, checked: bool) -> None:
        slow = node is preferred and isinstance(action, act.Observe) and c.now < later + first_look
        c.at(first_look if slow else 0.0, lambda: execute(node, life, action, checked))

    monkeypatch.setattr(c, "execute", late)
    c.run(later + 6.0)
    assert c.in_service() and c.owners() == [preferred] and c.moves == 0


def test_a_preferred_node_that_never_starts_the_package_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    c = Cluster(4)
    preferred, other = c.nodes
    execute = c.execute

    def refuse(node: Node, life: int, action: Any, checked: bool) -> None:
        if node is preferred and isinstance(action, act.Register):
            c.at(c.now, lambda: c.feed_event(node, life, ev.Done(action.id, ev.Outcome.ERROR, "refused")))
        else:
            execute(node, life, action, checked)

    monkeypatch.setattr(c, "execute", refuse)
    c.run(FAST.target_wait + 6.0)
    assert c.in_service() and c.owners() == [other]


# -- messages ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("heard", ["owner", "standby"])
def test_one_way_loss_leaves_the_owner_alone(heard: str) -> None:
    c, owner, (other,) = serving()
    c.cut.add((other.name, owner.name) if heard == "owner" else (owner.name, other.name))
    stays(c, owner, 20.0)


def test_heartbeats_that_flap_below_the_limit_leave_the_owner_alone() -> None:
    c, owner, (other,) = serving()
    lines = {(owner.name, other.name), (other.name, owner.name)}
    before = c.array.lock.generation
    for cycle in range(20):
        c.at(cycle, lambda: c.cut.update(lines))
        c.at(cycle + FAST.silence - 0.2, lambda: c.cut.difference_update(lines))
    stays(c, owner, 20.0)
    # At most one challenge per gap: registered, and withdrawn or defended against.
    assert c.array.lock.generation - before <= 3 * 20


# -- storage -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("latency", [0.1, 0.5, 1.0])
def test_slow_storage_below_the_limit_is_no_reason_to_move(latency: float) -> None:
    """One way takes up to twice the latency: answers after up to 0.4, 2 and 4 s, the limit is 5 s."""
    assert 4 * latency < FAST.slow_limit
    c, owner, _ = serving()
    c.latency = latency
    stays(c, owner, 20.0)


def test_storage_that_hangs_without_an_error_at_the_owner_moves_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    c, owner, (other,) = serving()
    execute = c.execute

    def hang(node: Node, life: int, action: Any, checked: bool) -> None:
        if node is not owner or not isinstance(action, act.StorageCommand.__args__):
            execute(node, life, action, checked)

    monkeypatch.setattr(c, "execute", hang)
    c.run(c.now + FAST.slow_limit + 5.0)
    assert c.owners() == [other] and other.address and not owner.address and not owner.mounted


def paths_hang_then_fail(c: Cluster, monkeypatch: pytest.MonkeyPatch, owner: Node) -> None:
    """As in the lab: multipath queues, so that every command of the owner fails only at its deadline."""
    execute, seconds = c.execute, FAST.slow_limit

    def late(node: Node, life: int, action: Any, checked: bool) -> None:
        if node is not owner or not isinstance(action, act.Observe):
            execute(node, life, action, checked)
            return
        gone = ev.LunView("lock", ev.Problem.NO_PATHS)
        answer = ev.Observed(action.id, gone, (), ev.Outcome.NO_PATHS)
        c.at(seconds - 0.01, lambda: c.feed_event(node, life, answer))

    monkeypatch.setattr(c, "execute", late)
    owner.paths.update({0: False, 1: False})


def two_addresses(c: Cluster, seconds: float) -> float:
    """For how long two nodes have the address."""
    end, both = c.now + seconds, 0.0
    while c.now < end:
        c.run(c.now + 0.05)
        both += 0.05 * (sum(node.address for node in c.nodes) > 1)
    return both


def test_paths_that_hang_before_they_fail_leave_no_second_address(monkeypatch: pytest.MonkeyPatch) -> None:
    c, owner, (other,) = serving()
    paths_hang_then_fail(c, monkeypatch, owner)
    assert two_addresses(c, 40.0) == 0
    assert c.owners() == [other] and other.address and not owner.mounted


def test_an_owner_without_paths_believes_the_peer_that_took_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where its own patience is long: nobody but a winner has the higher term. It says so with its next heartbeat."""
    c, owner, (other,) = serving()
    monkeypatch.setattr("holdfast_agent.core.rounds.peer_can_serve", lambda turn: None)
    paths_hang_then_fail(c, monkeypatch, owner)
    assert two_addresses(c, 40.0) < 2 * FAST.heartbeat + 0.1
    assert c.owners() == [other] and not owner.mounted


def test_an_owner_without_paths_that_hears_nobody_gives_the_address_up(monkeypatch: pytest.MonkeyPatch) -> None:
    c, owner, _ = serving()
    paths_hang_then_fail(c, monkeypatch, owner)
    c.cut.update((a.name, b.name) for a in c.nodes for b in c.nodes)
    c.run(c.now + FAST.beat_stall + 1.0)
    assert not owner.address


def test_an_owner_that_says_its_storage_is_gone_and_hears_nobody_has_no_address_by_then() -> None:
    """Its word is enough for the peer to begin, also where the peer's own words do not arrive."""
    c, owner, (other,) = serving()
    owner.paths.update({0: False, 1: False})
    c.cut.add((other.name, owner.name))
    assert two_addresses(c, 20.0) == 0
    assert c.owners()[-1] is other and other.address


@pytest.mark.parametrize("verb", [ev.Verb.MAINTENANCE_ON, ev.Verb.DETACH, ev.Verb.STOP])
def test_an_owner_without_paths_believes_a_successor_whatever_that_one_does_with_the_package(
    monkeypatch: pytest.MonkeyPatch, verb: ev.Verb
) -> None:
    c, owner, (other,) = serving()
    execute = c.execute
    stop_hangs = lambda node, life, action, checked: (  # noqa: E731
        None if isinstance(action, act.StopResource) else execute(node, life, action, checked)
    )
    monkeypatch.setattr(c, "execute", stop_hangs)
    owner.paths.update({0: False, 1: False})
    c.cut.add((other.name, owner.name))
    c.run(c.now + 8.0)
    assert other.address and owner.mounted
    c.command(other, verb)
    c.run(c.now + 1.0)
    assert other.address
    c.cut.clear()
    c.run(c.now + 1.0)
    assert not owner.mounted and not owner.address and other.address


def test_maintenance_is_no_reason_to_stay_beside_a_successor() -> None:
    """A person told the standby not to stand off, and the owner in maintenance cannot ask the array."""
    c, owner, (other,) = serving()
    c.command(owner, ev.Verb.MAINTENANCE_ON)
    c.run(c.now + 1.0)
    c.command(other, ev.Verb.MAINTENANCE_OFF)
    owner.paths.update({0: False, 1: False})
    assert two_addresses(c, 20.0) < 2 * FAST.heartbeat + 0.1
    assert c.owners() == [other] and not owner.mounted


@pytest.mark.parametrize("deaf", [False, True])
@pytest.mark.parametrize("killed_before", [0.0, 0.5])
def test_an_agent_that_comes_back_without_storage_leaves_no_second_address(deaf: bool, killed_before: float) -> None:
    c, owner, (other,) = serving()
    c.kill_agent(owner)
    c.run(c.now + killed_before)
    owner.paths.update({0: False, 1: False})
    if deaf:
        c.cut.update({(owner.name, other.name), (other.name, owner.name)})
    assert two_addresses(c, 30.0) < FAST.beat_stall
    assert other.address and not owner.address
    c.run(c.now + FAST.path_wait_alone)
    assert not owner.mounted


@pytest.mark.parametrize("verb", [ev.Verb.DETACH, ev.Verb.MAINTENANCE_ON])
def test_an_agent_that_comes_back_without_storage_leaves_alone_what_others_stand_off_from(verb: ev.Verb) -> None:
    c, owner, (other,) = serving()
    c.command(owner, verb)
    c.run(c.now + 1.0)
    c.kill_agent(owner)
    owner.paths.update({0: False, 1: False})
    c.cut.update({(owner.name, other.name), (other.name, owner.name)})
    c.run(c.now + FAST.path_wait_alone + 10.0)
    assert owner.mounted and owner.running == set(RESOURCES)


def test_an_agent_killed_in_a_repair_leaves_no_map_suspended() -> None:
    c, owner, _ = serving()
    nexus = (owner.name, 1)
    for lun in c.array.luns:
        del lun.registered[nexus]
    while not (owner.suspended and all(nexus in lun.registered for lun in c.array.luns)):
        c.run(c.now + 0.001)
    c.kill_agent(owner)
    c.run(c.now + 5.0)
    assert c.in_service() and c.owners() == [owner] and not owner.suspended


def stopped_by_force(c: Cluster, owner: Node, epoch: int) -> None:
    """It is a standby again within the time that the watchdog would have taken, and was not reset."""
    c.run(c.now + FAST.watchdog - 2.0)
    assert owner.state is not None and owner.state.state is State.STANDBY
    assert not owner.mounted and not owner.running and owner.epoch == epoch


def test_an_agent_that_comes_back_replaced_stops_by_force_without_a_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    c, owner, (other,) = serving()
    start_agent = c.start_agent
    monkeypatch.setattr(c, "start_agent", lambda node: None)
    c.kill_agent(owner)
    c.run(c.now + 3.0)
    assert other.address and owner.mounted
    start_agent(owner)
    stopped_by_force(c, owner, owner.epoch)


def test_a_stall_in_a_stop_by_force_does_not_end_it() -> None:
    c, owner, _ = serving()
    c.freeze(owner, 10.0)
    c.run(c.now + 9.9)
    while owner.state is None or owner.state.state is not State.EJECTED:
        c.run(c.now + 0.001)
    c.freeze(owner, 2 * FAST.stall)
    stopped_by_force(c, owner, owner.epoch)


@pytest.mark.parametrize("slow", RESOURCES)
def test_an_address_comes_up_only_with_a_proof_that_still_counts(monkeypatch: pytest.MonkeyPatch, slow: str) -> None:
    """A start that ends long after the storage was lost, while a peer is not heard."""
    c, owner, (other,) = serving()
    execute, start = c.execute, c.start
    raised: list[float] = []

    def late(node: Node, life: int, action: Any, checked: bool) -> None:
        wait = 2 * FAST.beat_stall if isinstance(action, act.StartResource) and action.name == slow else 0.0
        c.at(wait, lambda: execute(node, life, action, checked))

    def note(node: Node, life: int, action: Any) -> None:
        if isinstance(action, act.RaiseAddress):
            raised.append(c.now)
        start(node, life, action)

    monkeypatch.setattr(c, "execute", late)
    monkeypatch.setattr(c, "start", note)
    c.power_off(owner)
    while not other.mounted:
        c.run(c.now + 0.01)
    c.run(c.now + 0.5)
    lost = c.now
    other.paths.update({0: False, 1: False})
    c.run(lost + 3 * FAST.beat_stall)
    assert [moment for moment in raised if moment > lost] == [] and not other.address
    other.paths.update({0: True, 1: True})
    c.run(c.now + 1.0)
    assert other.address and c.owners() == [other]


@pytest.mark.parametrize("outcome", [ev.Outcome.ERROR, ev.Outcome.CONFLICT, ev.Outcome.TIMEOUT])
@pytest.mark.parametrize("command", [act.Register, act.PreemptAndAbort])
def test_a_reservation_that_cannot_be_taken_is_no_takeover(
    monkeypatch: pytest.MonkeyPatch, command: type, outcome: ev.Outcome
) -> None:
    c, owner, (other,) = serving()

    def refuse(node: Node, action: Any) -> ev.Event | None:
        return ev.Done(action.id, outcome, "blocked") if node is other and isinstance(action, command) else None

    answer_instead(c, monkeypatch, refuse)
    c.power_off(owner)
    end = c.now + 20.0
    while c.now < end:
        c.run(c.now + 0.1)
        assert not other.mounted and not other.address and not other.running
    c.boot(owner)
    c.run(c.now + 15.0)
    assert c.owners() == [owner] and owner.address


# -- two faults ----------------------------------------------------------------------------------------------------


def test_owner_dies_while_the_standby_has_one_path() -> None:
    c, owner, (other,) = serving()
    other.paths[0] = False
    c.run(c.now + 1.0)
    c.power_off(owner)
    c.run(c.now + 4.0)
    assert c.in_service() and c.owners() == [other]


def test_both_nodes_die_and_boot_again() -> None:
    c, owner, (other,) = serving()
    c.crash(owner)
    c.run(c.now + 0.5)
    c.crash(other)
    c.run(c.now + 25.0)
    assert c.in_service()


@pytest.mark.parametrize("delay", [0.01, 0.02, 0.05, 0.1, 0.2, 0.4])
def test_a_node_that_dies_during_a_switchover_leaves_one_owner(delay: float) -> None:
    for victim in (0, 1):
        c, owner, (other,) = serving()
        c.command(owner, ev.Verb.MOVE)
        c.run(c.now + delay)
        c.power_off((owner, other)[victim])
        c.run(c.now + 10.0)
        assert c.in_service() and c.owners() == [(other, owner)[victim]]


def test_agent_killed_in_a_loop_ends_with_one_owner() -> None:
    c, owner, _ = serving()
    for kill in range(10):
        c.at(1.5 * kill, lambda: c.kill_agent(owner))
    c.run(c.now + 30.0)
    assert c.in_service()


# -- writes that cannot be held back during a repair ------------------------------------------------------------------


def suspend_fails(c: Cluster, monkeypatch: pytest.MonkeyPatch, times: float, outcome: ev.Outcome) -> list[str]:
    """Keys cleared by hand, and so many suspensions fail; what was suspended or registered on data LUNs, in order."""
    told: list[str] = []

    def answer(node: Node, action: Any) -> ev.Event | None:
        if isinstance(action, act.Register) and action.luns is act.Luns.DATA:
            told.append("register")
        if not isinstance(action, act.SuspendIo):
            return None
        told.append("fail" if told.count("fail") < times else "suspend")
        return ev.Done(action.id, outcome) if told[-1] == "fail" else None

    answer_instead(c, monkeypatch, answer)
    c.reserved_only = True
    for lun in c.array.luns:
        lun.clear()
    return told


@pytest.mark.parametrize("outcome", [ev.Outcome.ERROR, ev.Outcome.TIMEOUT])
def test_nothing_is_registered_on_a_data_lun_before_its_writes_are_held_back(
    monkeypatch: pytest.MonkeyPatch, outcome: ev.Outcome
) -> None:
    c, owner, _ = serving()
    told = suspend_fails(c, monkeypatch, 3, outcome)
    c.run(c.now + 3.0)
    assert told == ["fail", "fail", "fail", "suspend", "register"]
    assert c.in_service() and c.owners() == [owner]


def test_an_owner_that_cannot_hold_its_writes_back_stops_first(monkeypatch: pytest.MonkeyPatch) -> None:
    c, owner, _ = serving()
    told = suspend_fails(c, monkeypatch, float("inf"), ev.Outcome.ERROR)
    end = c.now + FAST.slow_limit + 1.0
    while owner.mounted and c.now < end:
        c.run(c.now + 0.01)
    assert not owner.mounted and set(told) == {"fail"}
    c.run(c.now + 10.0)
    assert c.in_service()


# -- an agent that starts beside a running package and cannot read the storage ----------------------------------------


def agent_restarts_without_paths(c: Cluster, owner: Node) -> None:
    owner.paths.update({0: False, 1: False})
    c.kill_agent(owner)


def test_an_agent_that_starts_without_paths_leaves_no_second_address() -> None:
    c, owner, (other,) = serving()
    agent_restarts_without_paths(c, owner)
    assert two_addresses(c, 40.0) < 2 * FAST.heartbeat + 0.1
    assert c.owners() == [other] and other.address and not owner.mounted


@pytest.mark.parametrize("verb", [ev.Verb.MAINTENANCE_ON, ev.Verb.DETACH])
def test_an_agent_that_starts_without_paths_believes_a_peer_whatever_it_does_with_the_package(verb: ev.Verb) -> None:
    c, owner, (other,) = serving()
    owner.agent, owner.generation = False, owner.generation + 1
    c.run(c.now + 4.0)
    c.command(other, verb)
    c.run(c.now + 0.5)
    assert other.address and other.state is not None and other.state.state is not State.OWNER
    owner.paths.update({0: False, 1: False})
    c.start_agent(owner)
    assert two_addresses(c, 10.0) < 2 * FAST.heartbeat + 0.1
    assert other.address and not owner.mounted


def test_an_agent_that_starts_without_paths_and_hears_nobody_gives_the_address_up() -> None:
    c, owner, _ = serving()
    c.cut.update((a.name, b.name) for a in c.nodes for b in c.nodes)
    agent_restarts_without_paths(c, owner)
    c.run(c.now + FAST.beat_stall + 0.5)
    assert owner.agent and owner.mounted and not owner.address


def test_an_agent_that_starts_without_paths_waits_where_nobody_else_could_serve() -> None:
    c, owner, _ = serving()
    c.array.up = False
    c.kill_agent(owner)
    epoch = owner.epoch + 1
    c.run(c.now + 30.0)
    assert owner.mounted and owner.address and owner.epoch == epoch, "neither stopped nor reset"
    c.array.up = True
    c.run(c.now + 3.0)
    assert c.in_service() and c.owners() == [owner] and owner.epoch == epoch


@pytest.mark.parametrize("verb", [ev.Verb.DETACH, ev.Verb.MAINTENANCE_ON])
def test_an_address_that_nobody_else_may_take_comes_back_with_the_storage(verb: ev.Verb) -> None:
    c, owner, (other,) = serving()
    c.command(owner, verb)
    c.run(c.now + 1.0)
    assert owner.state is not None
    state = owner.state.state
    c.cut.update((a.name, b.name) for a in c.nodes for b in c.nodes)
    agent_restarts_without_paths(c, owner)
    c.run(c.now + FAST.beat_stall + 2.0)
    assert owner.mounted and not owner.address and not other.address
    owner.paths.update({0: True, 1: True})
    c.run(c.now + 2.0)
    assert owner.state.state is state and owner.mounted and owner.address


@pytest.mark.parametrize("verb", [ev.Verb.DETACH, ev.Verb.MAINTENANCE_ON])
def test_an_agent_that_knows_of_no_proof_leaves_no_second_address(verb: ev.Verb) -> None:
    """A person told the standby not to stand off, and the agent that comes back neither looks nor hears."""
    c, owner, (other,) = serving()
    c.command(owner, verb)
    c.run(c.now + 1.0)
    c.command(other, ev.Verb.MAINTENANCE_OFF)
    c.cut.update((a.name, b.name) for a in c.nodes for b in c.nodes)
    agent_restarts_without_paths(c, owner)
    assert two_addresses(c, 20.0) < FAST.beat_stall
    assert other.address and not owner.address


def test_an_address_that_was_withheld_comes_back_in_maintenance() -> None:
    """An agent that died between the note and its answer leaves a proof behind; the next one comes late."""
    c, owner, _ = serving()
    c.command(owner, ev.Verb.MAINTENANCE_ON)
    c.run(c.now + 1.0)
    c.kill_agent(owner)
    owner.proof = c.local(owner) - FAST.slow_limit - 1.0
    c.run(c.now + 3.0)
    assert owner.state is not None and owner.state.state is State.MAINTENANCE and owner.address


def test_an_agent_that_starts_without_paths_does_not_wait_for_ever() -> None:
    c, owner, _ = serving()
    c.array.up = False
    c.kill_agent(owner)
    c.run(c.now + FAST.path_wait_alone + FAST.watchdog + 3.0)
    assert not owner.mounted and not owner.address


# -- a node that lost the package stops it ---------------------------------------------------------------------------


def test_an_agent_that_comes_back_after_the_takeover_stops_what_still_runs() -> None:
    c, owner, (other,) = serving()
    owner.agent, owner.generation = False, owner.generation + 1
    c.run(c.now + 4.0)
    assert c.owners() == [other] and owner.running
    epoch = owner.epoch
    c.start_agent(owner)
    c.run(c.now + 1.0)
    assert not owner.running and not owner.mounted and not owner.address
    c.run(c.now + FAST.watchdog + 1.0)
    assert owner.epoch == epoch + 1, "it was reset by its watchdog"


def test_a_replaced_owner_that_stalls_while_it_stops_goes_on_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    c, owner, (other,) = serving()
    epoch = owner.epoch

    def stall(node: Node, action: Any) -> None:
        if node is owner and isinstance(action, act.KillDatabase) and owner.running:
            c.freeze(owner, 2 * FAST.stall)

    answer_instead(c, monkeypatch, stall)
    c.freeze(owner, 5.0)
    c.run(c.now + 5.0 + FAST.watchdog + 3.0)
    assert c.owners() == [other] and not owner.mounted and owner.state is not None
    assert owner.state.state is State.STANDBY and owner.epoch == epoch, "it was reset by its watchdog"


def test_a_stranger_is_no_reason_to_stop_while_the_witness_is_away() -> None:
    c, owner, _ = serving()
    for node in c.nodes:
        node.witness = False
    c.run(c.now + 2.0)
    assert c.array.lock.register(("stranger", 0), 0, 0x1234)
    stays(c, owner, 5.0)
    assert 0x1234 not in c.array.lock.registered.values()


# -- a stop that is cut off after its note ------------------------------------------------------------------------------


def cut_off_after_the_note(c: Cluster, monkeypatch: pytest.MonkeyPatch, owner: Node, how: str) -> None:
    """The note says "stopped"; the keys that go next stay on the array."""
    perform = c.perform

    def perform_and_cut(node: Node, action: Any) -> ev.Event:
        result = perform(node, action)
        if isinstance(action, act.WriteNote) and action.note.flag is ev.Flag.STOPPED:
            if how == "paths":
                node.paths.update({0: False, 1: False})
                c.at(8.0, lambda: node.paths.update({0: True, 1: True}))
            else:
                c.at(0.0, lambda: {"crash": c.crash, "agent": c.kill_agent}[how](node))
        return result

    monkeypatch.setattr(c, "perform", perform_and_cut)
    c.command(owner, ev.Verb.STOP)


@pytest.mark.parametrize("start_on", [0, 1])
@pytest.mark.parametrize("how", ["crash", "agent", "paths"])
def test_a_stop_that_is_cut_off_after_its_note_is_a_stop(
    monkeypatch: pytest.MonkeyPatch, how: str, start_on: int
) -> None:
    c, owner, _ = serving()
    cut_off_after_the_note(c, monkeypatch, owner, how)
    c.run(c.now + 40.0)
    assert [node.state.state for node in c.nodes if node.state] == [State.STOPPED, State.STOPPED]
    number = c.command(c.nodes[start_on], ev.Verb.START)
    c.run(c.now + 8.0)
    assert c.replies[number].ok and c.in_service() and c.owners() == [c.nodes[start_on]]


def test_a_challenge_under_way_does_not_start_what_a_person_stops() -> None:
    c, owner, (other,) = serving()
    c.cut.update((a.name, b.name) for a in c.nodes for b in c.nodes)
    while other.state is None or other.state.state is not State.CHALLENGING:
        c.run(c.now + 0.02)
    c.command(owner, ev.Verb.STOP)
    c.run(c.now + 20.0)
    assert not c.owners() and [node.state.state for node in c.nodes if node.state] == [State.STOPPED, State.STOPPED]


def test_a_package_that_a_person_started_again_is_taken_over_again() -> None:
    """What failed before the start is forgotten on the lock LUN as well, else no other node would ever help."""
    c = Cluster(7, flap_limit=1)
    c.run(4.0)
    for node in c.nodes:
        node.broken.add("db")
    c.fail_resource(c.owners()[0], "db")
    c.run(c.now + 20.0)
    assert [node.state.state for node in c.nodes if node.state] == [State.FAILED, State.FAILED]
    for node in c.nodes:
        node.broken.clear()
    c.command(c.nodes[0], ev.Verb.START)
    c.run(c.now + 5.0)
    assert c.owners() == [c.nodes[0]]
    c.power_off(c.nodes[0])
    c.run(c.now + 5.0)
    assert c.in_service() and c.owners() == [c.nodes[1]]


# -- three nodes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_one_of_two_successors_takes_over(seed: int) -> None:
    c, owner, heirs = serving(seed, 3)
    c.power_off(owner)
    c.run(c.now + 4.0)
    assert c.in_service() and c.owners()[0] in heirs


@pytest.mark.parametrize("delay", [0.5, 1.0, 1.5, 2.0, 3.0])
def test_the_last_node_serves_when_two_die_one_after_the_other(delay: float) -> None:
    c, owner, heirs = serving(7, 3)
    c.power_off(owner)
    c.run(c.now + delay)
    first = next((node for node in c.owners() if node is not owner), heirs[0])
    c.power_off(first)
    c.run(c.now + 8.0)
    assert c.in_service() and c.owners() == [next(node for node in heirs if node is not first)]


def test_frozen_owner_wakes_after_its_successor_has_died_too() -> None:
    """The late writes of the first owner are refused whichever of the two that followed it has the package."""
    c, owner, _ = serving(7, 3)
    c.freeze(owner, 20.0)
    c.run(c.now + 5.0)
    c.power_off(c.owners()[0])
    c.run(c.now + 25.0)
    assert c.in_service() and c.owners() != [owner] and not owner.mounted


def test_isolated_owner_gives_way_to_one_of_two() -> None:
    c, owner, heirs = serving(7, 3)
    owner.witness = False
    c.run(c.now + 6.0)
    assert c.in_service() and c.owners()[0] in heirs
    assert owner.state is not None and owner.state.state is State.STANDBY
