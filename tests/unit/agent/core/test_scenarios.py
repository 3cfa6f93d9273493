"""Rows of the failure table (docs/drills.md) and operator commands, played on the simulation one at a time."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_agent.core import actions as act
from holdfast_agent.core import events as ev
from holdfast_agent.core.preview import preview_move
from holdfast_agent.core.state import MachineState, State
from holdfast_agent.core.turn import Turn

from holdfast.drill.runbook.catalogue import load_catalogue
from holdfast.drill.runbook.model import CommandStep, FaultStep, WaitStep
from tests.unit.agent.core.sim import RESOURCES, Cluster, Node
from tests.unit.agent.core.sim_array import Nexus

RUNBOOKS = Path(__file__).parents[4] / "runbooks"


@pytest.fixture
def cluster() -> Cluster:
    c = Cluster(7)
    c.run(4.0)
    assert c.in_service()
    return c


def state_of(node: Node) -> MachineState:
    assert node.state is not None
    return node.state


def owner(c: Cluster) -> Node:
    return c.owners()[0]


def standby(c: Cluster) -> Node:
    return next(node for node in c.nodes if node is not owner(c))


def cut_all_heartbeats(c: Cluster) -> None:
    c.cut.update((a.name, b.name) for a in c.nodes for b in c.nodes)


def seconds_until_service(c: Cluster, limit: float = 30.0) -> float:
    start = c.now
    while c.now < start + limit:
        c.run(c.now + 0.05)
        if c.in_service():
            return c.now - start
    raise AssertionError("service did not come back")


@pytest.mark.parametrize(("mounted", "own_past", "renew"), [(False, True, True), (True, True, False), (False, False, False)])
def test_paths_are_registered_anew_after_own_past_keys_went_and_never_below_a_mount(
    cluster: Cluster, mounted: bool, own_past: bool, renew: bool
) -> None:
    turn = Turn(state_of(owner(cluster)), 10.0)
    victim = turn.s.key ^ 0x3 if own_past else turn.s.key ^ 0x3000000
    turn.preempt(act.Luns.DATA, (victim,), may_be_mounted=mounted)
    (command,) = turn.actions
    assert isinstance(command, act.PreemptAndAbort)
    assert command.renew is renew


def test_an_owner_never_renews_its_registrations(cluster: Cluster) -> None:
    """Its rounds preempt as well: a challenger, a stranger, a key of its own past."""
    node = owner(cluster)
    sent: list[act.PreemptAndAbort] = []
    perform = cluster.perform_preempt

    def note(action: act.PreemptAndAbort, nexuses: list[Nexus]) -> bool:
        sent.append(action)
        return perform(action, nexuses)

    cluster.perform_preempt = note  # type: ignore[method-assign]
    for lun in (cluster.array.lock, *cluster.array.data):
        lun.register((node.name, 9), 0, state_of(node).key ^ 0x3)
    cluster.run(cluster.now + 5.0)
    assert sent and not any(action.renew for action in sent)


def test_crash_of_the_owner_is_taken_over_within_the_arbitration_budget(cluster: Cluster) -> None:
    old, new = owner(cluster), standby(cluster)
    cluster.crash(old)
    assert seconds_until_service(cluster) <= 2.0
    assert owner(cluster) is new


def test_frozen_owner_is_replaced_and_stops_itself_after_the_thaw(cluster: Cluster) -> None:
    old, new = owner(cluster), standby(cluster)
    cluster.freeze(old, 30.0)
    cluster.run(cluster.now + 29.9)
    assert new.address and not cluster.writes(old)
    cluster.run(cluster.now + 1.0)
    assert not old.address
    cluster.run(cluster.now + 10.0)
    assert cluster.in_service() and owner(cluster) is new


@pytest.mark.parametrize("believed_dead", [False, True])
def test_late_writes_of_a_frozen_owner_are_refused_after_its_successor_was_stopped(
    cluster: Cluster, believed_dead: bool
) -> None:
    """Replaced while frozen, the successor stopped in order, then thawed: the data LUNs are still reserved.

    Also where a person takes the frozen node for dead: that speeds a takeover up, and must not cost data.
    """
    old, new = owner(cluster), standby(cluster)
    cluster.freeze(old, 30.0)
    cluster.run(cluster.now + 10.0)
    if believed_dead:
        cluster.command(new, ev.Verb.CONFIRM_DEAD, old.name)
    number = cluster.command(new, ev.Verb.STOP)
    cluster.run(cluster.now + 10.0)
    assert cluster.replies[number].ok and not new.mounted
    assert old.mounted and not cluster.writes(old)
    cluster.run(cluster.now + 20.0)
    assert not old.mounted
    number = cluster.command(old, ev.Verb.START)
    cluster.run(cluster.now + 5.0)
    assert cluster.replies[number].ok and cluster.in_service() and owner(cluster) is old


@pytest.mark.parametrize("standby_is", ["heard", "off"])
def test_ordered_stop_beside_nodes_at_rest_leaves_nothing_on_the_array(cluster: Cluster, standby_is: str) -> None:
    """A standby that was heard at rest and then lost its power has nothing mounted either."""
    if standby_is == "off":
        cluster.power_off(standby(cluster))
        cluster.run(cluster.now + 3.0)
    cluster.command(owner(cluster), ev.Verb.STOP)
    cluster.run(cluster.now + 5.0)
    assert [(lun.registered, lun.holder) for lun in cluster.array.luns] == [({}, None)] * len(cluster.array.luns)


@pytest.mark.parametrize("what", ["heartbeat", "witness of the standby", "witness of both", "standby", "one path"])
def test_healthy_owner_stays(cluster: Cluster, what: str) -> None:
    """I5: none of these faults may move the package or take the address, not even briefly."""
    old, other = owner(cluster), standby(cluster)
    if what == "heartbeat":
        cut_all_heartbeats(cluster)
    elif what == "witness of the standby":
        other.witness = False
    elif what == "witness of both":
        other.witness = old.witness = False
    elif what == "standby":
        cluster.crash(other)
    else:
        old.paths[1] = False
        cluster.at(3.0, lambda: old.paths.update({1: True}))
    end = cluster.now + 12.0
    while cluster.now < end:
        cluster.run(cluster.now + 0.1)
        assert old.address and old.mounted and old.running == set(RESOURCES)
    assert other.name not in (node.name for node in cluster.owners())


def test_returned_path_is_registered_before_use(cluster: Cluster) -> None:
    old = owner(cluster)
    old.paths[1] = False
    cluster.run(cluster.now + 1.0)
    for lun in cluster.array.luns:
        lun.registered.pop((old.name, 1), None)
    old.paths[1] = True
    cluster.run(cluster.now + 2.0)
    assert all((old.name, 1) in lun.registered for lun in cluster.array.luns)
    assert cluster.in_service() and not old.suspended


def test_challenges_do_not_storm_while_the_heartbeat_is_cut(cluster: Cluster) -> None:
    """The same silence is used once: evidence that lost a challenge is spent."""
    cut_all_heartbeats(cluster)
    before = cluster.array.lock.generation
    cluster.run(cluster.now + 30.0)
    assert cluster.array.lock.generation - before <= 8


def test_client_network_lost_at_the_owner_moves_the_package(cluster: Cluster) -> None:
    old, new = owner(cluster), standby(cluster)
    old.witness = False
    cluster.run(cluster.now + 4.0)
    assert owner(cluster) is new and not old.address


def test_isolated_owner_without_heartbeats_does_not_defend(cluster: Cluster) -> None:
    old, new = owner(cluster), standby(cluster)
    cut_all_heartbeats(cluster)
    cluster.run(cluster.now + 5.0)
    assert owner(cluster) is old
    old.witness = False
    cluster.run(cluster.now + 6.0)
    assert owner(cluster) is new and not old.address


def test_all_paths_lost_at_the_owner_moves_and_the_old_node_stays_out(cluster: Cluster) -> None:
    old, new = owner(cluster), standby(cluster)
    old.paths.update({0: False, 1: False})
    cluster.run(cluster.now + 8.0)
    old.paths.update({0: True, 1: True})
    cluster.run(cluster.now + 10.0)
    assert owner(cluster) is new and cluster.in_service()


def test_all_paths_lost_at_the_standby_is_nothing(cluster: Cluster) -> None:
    old = owner(cluster)
    standby(cluster).paths.update({0: False, 1: False})
    cluster.run(cluster.now + 10.0)
    assert owner(cluster) is old


@pytest.mark.parametrize("aptpl", [True, False])
def test_array_restart_keeps_the_owner(cluster: Cluster, aptpl: bool) -> None:
    old = owner(cluster)
    cluster.array.restart(aptpl)
    cluster.array.up = False
    cluster.run(cluster.now + 5.0)
    cluster.array.up = True
    cluster.run(cluster.now + 2.0)
    assert owner(cluster) is old and cluster.in_service()
    assert all(lun.holder_key is not None for lun in cluster.array.luns)


def test_keys_cleared_by_hand_are_repaired_within_a_round(cluster: Cluster) -> None:
    for lun in cluster.array.luns:
        lun.clear()
    cluster.run(cluster.now + 1.0)
    assert all(lun.holder_key is not None for lun in cluster.array.luns) and cluster.in_service()


def test_strangers_key_is_removed(cluster: Cluster) -> None:
    for lun in cluster.array.luns:
        lun.register(("stranger", 0), 0, 0x1234)
    cluster.run(cluster.now + 1.5)
    assert all(0x1234 not in lun.registered.values() for lun in cluster.array.luns)


def test_strangers_reservation_is_refused_not_cleared() -> None:
    c = Cluster(3)
    c.array.lock.register(("stranger", 0), 0, 0x1234)
    c.array.lock.reserve(("stranger", 0))
    c.run(20.0)
    assert c.owners() == [] and c.array.lock.holder_key == 0x1234
    assert all("refused" in node.state.reason for node in c.nodes if node.state)


def test_database_is_restarted_in_place_then_moved(cluster: Cluster) -> None:
    old = owner(cluster)
    for _ in range(3):
        cluster.fail_resource(old, "db")
        cluster.run(cluster.now + 1.0)
        assert owner(cluster) is old and cluster.in_service()
    cluster.fail_resource(old, "db")
    cluster.run(cluster.now + 3.0)
    assert owner(cluster) is not old and cluster.in_service()


def test_database_that_starts_nowhere_ends_failed_with_a_reason(cluster: Cluster) -> None:
    for node in cluster.nodes:
        node.broken.add("db")
    cluster.fail_resource(owner(cluster), "db")
    cluster.run(cluster.now + 25.0)
    assert cluster.owners() == []
    states = {node.state.state for node in cluster.nodes if node.state}
    assert states == {State.FAILED}
    assert cluster.array.lock.notes is not None and "no node can run" in cluster.array.lock.notes.reason
    for node in cluster.nodes:
        node.broken.clear()
    cluster.command(cluster.nodes[0], ev.Verb.START)
    cluster.run(cluster.now + 5.0)
    assert cluster.in_service()


def test_killed_agent_adopts_the_running_package(cluster: Cluster) -> None:
    old = owner(cluster)
    cluster.kill_agent(old)
    cluster.run(cluster.now + 0.9)
    assert old.address and old.running == set(RESOURCES)
    cluster.run(cluster.now + 3.0)
    assert owner(cluster) is old and cluster.in_service()


def test_move_and_failback(cluster: Cluster) -> None:
    old, new = owner(cluster), standby(cluster)
    number = cluster.command(old, ev.Verb.MOVE, new.name)
    assert seconds_until_service(cluster) <= 1.5 or owner(cluster) is new
    cluster.run(cluster.now + 1.5)
    assert cluster.replies[number].ok and owner(cluster) is new
    cluster.command(new, ev.Verb.FAILBACK)
    cluster.run(cluster.now + 2.0)
    assert owner(cluster) is old


def test_a_planned_move_keeps_the_address_until_the_resources_have_stopped(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, seen, perform = owner(cluster), [], cluster.perform

    def watch(node: Node, action: act.Action) -> ev.Event:
        if node is old and isinstance(action, (act.StopResource, act.Deactivate)):
            seen.append((type(action).__name__, node.address))
        return perform(node, action)

    monkeypatch.setattr(cluster, "perform", watch)
    cluster.command(old, ev.Verb.MOVE)
    cluster.run(cluster.now + 5.0)
    assert set(seen) == {("StopResource", True), ("Deactivate", False)}
    assert cluster.in_service()


def test_the_address_comes_up_after_the_database_and_before_what_follows(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, seen, perform = standby(cluster), [], cluster.perform

    def watch(node: Node, action: act.Action) -> ev.Event:
        if node is new and isinstance(action, act.StartResource):
            seen.append((action.name, node.address))
        return perform(node, action)

    monkeypatch.setattr(cluster, "perform", watch)
    cluster.crash(owner(cluster))
    cluster.run(cluster.now + 5.0)
    assert seen == [(name, number > 0) for number, name in enumerate(RESOURCES)]
    assert new.address


def test_move_to_a_broken_target_rolls_back(cluster: Cluster) -> None:
    old, new = owner(cluster), standby(cluster)
    new.broken.add("db")
    cluster.command(old, ev.Verb.MOVE, new.name)
    cluster.run(cluster.now + 6.0)
    assert owner(cluster) is old and cluster.in_service()


def test_move_whose_target_dies_is_taken_back(cluster: Cluster) -> None:
    old, new = owner(cluster), standby(cluster)
    cluster.command(old, ev.Verb.MOVE, new.name)
    cluster.power_off(new)
    cluster.run(cluster.now + cluster.timers.target_wait + 20.0)
    assert owner(cluster) is old and cluster.in_service()


@pytest.mark.parametrize(
    ("verb", "target", "reason"),
    [
        (ev.Verb.MOVE, "node9", "not a node"),
        (ev.Verb.MOVE, "node1", "here already"),
        (ev.Verb.START, None, "is owner here"),
        (ev.Verb.MAINTENANCE_OFF, None, "not in maintenance"),
        (ev.Verb.ATTACH, None, "not detached"),
        (ev.Verb.REJOIN, None, "not ejected"),
    ],
)
def test_refusals_say_why(cluster: Cluster, verb: ev.Verb, target: str | None, reason: str) -> None:
    node = owner(cluster)
    number = cluster.command(node, verb, node.name if target == "node1" else target)
    cluster.run(cluster.now + 0.5)
    assert not cluster.replies[number].ok and reason in cluster.replies[number].reason


def test_stopped_package_stays_down_until_started(cluster: Cluster) -> None:
    old = owner(cluster)
    number = cluster.command(old, ev.Verb.STOP)
    cluster.run(cluster.now + 20.0)
    assert cluster.replies[number].ok and cluster.owners() == []
    assert all(not lun.registered for lun in cluster.array.luns)
    number = cluster.command(old, ev.Verb.START)
    cluster.run(cluster.now + 3.0)
    assert cluster.replies[number].ok and cluster.in_service()


def test_a_stop_on_a_slow_node_is_still_no_invitation(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that the stopping node decides leaves in time for a while: the note has to come before the keys go."""
    old, begun, perform = owner(cluster), cluster.now, cluster.perform

    def slow(node: Node, action: act.Action) -> ev.Event:
        if isinstance(action, act.WriteNote) and cluster.now < begun + 2.0:
            return ev.Done(action.id, ev.Outcome.EXPIRED)
        return perform(node, action)

    monkeypatch.setattr(cluster, "perform", slow)
    cluster.command(old, ev.Verb.STOP)
    cluster.run(begun + 20.0)
    assert cluster.owners() == []
    assert {node.state.state for node in cluster.nodes} == {State.STOPPED}


def test_detached_package_is_left_alone_until_its_node_is_proven_dead(cluster: Cluster) -> None:
    old, new = owner(cluster), standby(cluster)
    cluster.command(old, ev.Verb.DETACH)
    cluster.run(cluster.now + 1.0)
    assert old.state is not None and old.state.state is State.DETACHED
    old.agent = False
    cluster.run(cluster.now + 20.0)
    assert old.running == set(RESOURCES) and not new.mounted
    cluster.power_off(old)
    number = cluster.command(new, ev.Verb.CONFIRM_DEAD, old.name)
    cluster.run(cluster.now + 3.0)
    assert cluster.replies[number].ok and owner(cluster) is new


def test_a_node_that_is_heard_is_not_dead_whoever_says_so(cluster: Cluster) -> None:
    old, new = owner(cluster), standby(cluster)
    for target, reason in ((old.name, "was heard"), (new.name, "not another node"), ("node9", "not another node")):
        number = cluster.command(new, ev.Verb.CONFIRM_DEAD, target)
        cluster.run(cluster.now + 1.0)
        assert not cluster.replies[number].ok and reason in cluster.replies[number].reason
    assert owner(cluster) is old and cluster.in_service()


def test_a_node_that_starts_alone_does_not_wait_for_one_that_is_confirmed_dead() -> None:
    c = Cluster(7)
    alone, dead = c.nodes[0], c.nodes[1]
    c.power_off(dead)
    c.run(3.0)
    assert not c.in_service() and "waiting for node2" in state_of(alone).reason
    c.command(alone, ev.Verb.CONFIRM_DEAD, dead.name)
    c.run(7.0)
    assert owner(c) is alone


def test_detached_package_is_attached_again(cluster: Cluster) -> None:
    old = owner(cluster)
    cluster.command(old, ev.Verb.DETACH)
    cluster.run(cluster.now + 1.0)
    cluster.kill_agent(old)
    cluster.run(cluster.now + 6.0)
    assert old.state is not None and old.state.state is State.DETACHED
    cluster.command(old, ev.Verb.ATTACH)
    cluster.run(cluster.now + 3.0)
    assert cluster.in_service() and owner(cluster) is old


def test_maintenance_ignores_failures_and_its_leave_gate_holds(cluster: Cluster) -> None:
    old = owner(cluster)
    cluster.command(old, ev.Verb.MAINTENANCE_ON)
    cluster.run(cluster.now + 1.0)
    cluster.fail_resource(old, "db")
    cluster.run(cluster.now + 2.0)
    assert "db" not in old.running
    number = cluster.command(old, ev.Verb.MAINTENANCE_OFF)
    cluster.run(cluster.now + 0.5)
    assert not cluster.replies[number].ok and "db" in cluster.replies[number].reason


def test_what_died_in_maintenance_is_started_there_and_meets_the_leave_gate(cluster: Cluster) -> None:
    old = owner(cluster)
    cluster.command(old, ev.Verb.MAINTENANCE_ON)
    cluster.run(cluster.now + 1.0)
    cluster.fail_resource(old, "db")
    number = cluster.command(old, ev.Verb.START)
    cluster.run(cluster.now + 2.0)
    assert cluster.replies[number].ok and old.running == set(RESOURCES)
    assert state_of(old).state is State.MAINTENANCE
    number = cluster.command(old, ev.Verb.MAINTENANCE_OFF)
    cluster.run(cluster.now + 3.0)
    assert cluster.replies[number].ok and cluster.in_service() and owner(cluster) is old


def test_a_start_in_maintenance_that_fails_says_so_and_nothing_else_happens(cluster: Cluster) -> None:
    old = owner(cluster)
    cluster.command(old, ev.Verb.MAINTENANCE_ON)
    cluster.run(cluster.now + 1.0)
    cluster.fail_resource(old, "db")
    old.broken.add("db")
    number = cluster.command(old, ev.Verb.START)
    cluster.run(cluster.now + 5.0)
    assert not cluster.replies[number].ok and "start db failed" in cluster.replies[number].reason
    assert state_of(old).state is State.MAINTENANCE and "db" not in old.running


def test_a_partial_start_in_maintenance_starts_again_only_what_it_had(cluster: Cluster) -> None:
    old = owner(cluster)
    cluster.command(old, ev.Verb.STOP)
    cluster.run(cluster.now + 3.0)
    cluster.command(old, ev.Verb.START, up_to="db")
    cluster.run(cluster.now + 5.0)
    cluster.fail_resource(old, "db")
    more = cluster.command(old, ev.Verb.START, up_to="app")
    number = cluster.command(old, ev.Verb.START)
    cluster.run(cluster.now + 3.0)
    assert not cluster.replies[more].ok and cluster.replies[number].ok
    assert old.running == {"db"} and not old.address


def test_the_maintenance_drill_passes_the_leave_gate(cluster: Cluster) -> None:
    """The steps of the runbook as they stand, on the machine that answers them in a real drill."""
    old = owner(cluster)
    for step in load_catalogue([RUNBOOKS]).runbooks["maintenance_mode"].steps:
        match step.action:
            case FaultStep():
                cluster.fail_resource(old, "db")
            case CommandStep(verb=verb, expect=expect):
                number = cluster.command(old, ev.Verb(verb.replace("-", " ")))
                cluster.run(cluster.now + 3.0)
                assert cluster.replies[number].ok is (expect == "accepted"), (step.name, cluster.replies[number])
            case WaitStep(what="package_owned" | "clients_served"):
                cluster.run(cluster.now + 3.0)
                assert old.running == set(RESOURCES), step.name
    assert cluster.in_service() and owner(cluster) is old


def test_what_died_in_maintenance_while_the_agent_was_away_runs_again_at_its_end(cluster: Cluster) -> None:
    old = owner(cluster)
    cluster.command(old, ev.Verb.MAINTENANCE_ON)
    cluster.run(cluster.now + 1.0)
    cluster.fail_resource(old, "db")
    cluster.kill_agent(old)
    cluster.run(cluster.now + 3.0)
    number = cluster.command(old, ev.Verb.MAINTENANCE_OFF)
    cluster.run(cluster.now + 3.0)
    assert cluster.replies[number].ok and cluster.in_service() and owner(cluster) is old


def test_flap_limit_leaves_the_package_down() -> None:
    c = Cluster(5, flap_limit=3)
    c.run(4.0)
    for _ in range(4):
        if c.owners():
            c.crash(c.owners()[0])
        c.run(c.now + 8.0)
    assert c.owners() == []
    assert any(n.state and n.state.state is State.FAILED and "unplanned moves" in n.state.reason for n in c.nodes)


def test_node_that_cannot_stop_is_reset(cluster: Cluster) -> None:
    """I6: a lost package that does not unmount ends at the watchdog, within its margin."""
    old = owner(cluster)
    old.stuck = True
    epoch = old.epoch
    cluster.freeze(old, 3.0)
    cluster.run(cluster.now + 3.0 + cluster.timers.watchdog + 2.0)
    assert not old.mounted
    cluster.run(cluster.now + 6.0)
    assert old.epoch == epoch + 1 and cluster.in_service()


def test_a_partial_start_ends_in_maintenance_without_the_address(cluster: Cluster) -> None:
    old = owner(cluster)
    cluster.command(old, ev.Verb.STOP)
    cluster.run(cluster.now + 3.0)
    number = cluster.command(old, ev.Verb.START, up_to="db")
    cluster.run(cluster.now + 5.0)
    assert cluster.replies[number] == act.Reply(number, True, "started up to db by an operator")
    assert state_of(old).state is State.MAINTENANCE and old.mounted
    assert old.running == {"db"} and not old.address
    number = cluster.command(old, ev.Verb.MAINTENANCE_OFF)
    cluster.run(cluster.now + 5.0)
    assert cluster.replies[number].ok and cluster.in_service()


def test_a_partial_start_can_be_stopped_again(cluster: Cluster) -> None:
    old = owner(cluster)
    cluster.command(old, ev.Verb.STOP)
    cluster.run(cluster.now + 3.0)
    cluster.command(old, ev.Verb.START, up_to="mount")
    cluster.run(cluster.now + 5.0)
    assert old.mounted and old.running == set()
    number = cluster.command(old, ev.Verb.STOP)
    cluster.run(cluster.now + 3.0)
    assert cluster.replies[number].ok and not old.mounted
    cluster.command(old, ev.Verb.START)
    cluster.run(cluster.now + 5.0)
    assert cluster.in_service()


def test_a_partial_start_stays_one_over_a_restart_of_the_agent(cluster: Cluster) -> None:
    old = owner(cluster)
    cluster.command(old, ev.Verb.STOP)
    cluster.run(cluster.now + 3.0)
    cluster.command(old, ev.Verb.START, up_to="db")
    cluster.run(cluster.now + 5.0)
    cluster.kill_agent(old)
    cluster.run(cluster.now + 5.0)
    assert state_of(old).state is State.MAINTENANCE and old.running == {"db"} and not old.address
    cluster.command(old, ev.Verb.MAINTENANCE_OFF)
    cluster.run(cluster.now + 5.0)
    assert cluster.in_service()


def test_a_start_up_to_a_step_that_does_not_exist_is_refused(cluster: Cluster) -> None:
    old = owner(cluster)
    cluster.command(old, ev.Verb.STOP)
    cluster.run(cluster.now + 3.0)
    number = cluster.command(old, ev.Verb.START, up_to="web")
    cluster.run(cluster.now + 0.5)
    assert cluster.replies[number] == act.Reply(number, False, "no step web: the steps are mount, db, app")


def test_a_preview_says_what_the_move_then_does(cluster: Cluster) -> None:
    old, new = owner(cluster), standby(cluster)
    preview = preview_move(state_of(old), cluster.local(old))
    assert preview.target == new.name and preview.refusal is None
    assert [f"{step.node} {step.what}" for step in preview.steps] == [
        f"{old.name} {what}" for what in ("stop app", "stop db", "unmount", "release")
    ] + [f"{new.name} {what}" for what in ("claim", "mount", "address", "start db", "start app")]
    cluster.command(old, ev.Verb.MOVE)
    cluster.run(cluster.now + 5.0)
    assert owner(cluster) is new


@pytest.mark.parametrize(
    ("target", "reason"),
    [("node1", "the package is here already"), ("node9", "node9 is not a node of this package"), ("node2", "node2 is silent")],
)
def test_a_preview_refuses_for_the_reason_of_the_move(cluster: Cluster, target: str, reason: str) -> None:
    cluster.power_off(standby(cluster))
    cluster.run(cluster.now + 2.0)
    preview = preview_move(state_of(owner(cluster)), cluster.local(owner(cluster)), target)
    number = cluster.command(owner(cluster), ev.Verb.MOVE, target)
    cluster.run(cluster.now + 0.5)
    assert preview.refusal == reason == cluster.replies[number].reason
