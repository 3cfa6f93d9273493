"""Random fault schedules for the simulation, and the verdict after everything was healed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdfast_agent.core import events as ev
from holdfast_agent.core.machine import step
from holdfast_agent.core.state import State

from tests.unit.agent.core.sim import PATHS, Cluster, Node, Violation

CALM = 45.0
"""Seconds after the last fault is healed in which a healthy cluster must be in service again."""


def crash(c: Cluster, n: Node) -> None:
    c.crash(n)


def freeze(c: Cluster, n: Node) -> None:
    c.freeze(n, c.random.choice((0.1, 0.4, 1.0, 1.4, 2.0, 3.0, 6.0)), hidden=c.random.random() < 0.3)


def freeze_soon(c: Cluster, n: Node) -> None:
    """Freeze right before one of the next storage commands leaves; it leaves after the thaw, past every check."""
    n.freeze_at = (n.commands + c.random.randint(1, 8), c.random.choice((1.5, 3.0)))


def kill_agent(c: Cluster, n: Node) -> None:
    c.kill_agent(n)


def cut_heartbeat(c: Cluster, n: Node) -> None:
    peer = c.random.choice([p for p in c.nodes if p is not n])
    lines = c.random.choice(([(n.name, peer.name)], [(n.name, peer.name), (peer.name, n.name)]))
    c.cut.update(lines)
    c.at(c.random.uniform(0.2, 4), lambda: c.cut.difference_update(lines))


def cut_client(c: Cluster, n: Node) -> None:
    n.witness = False
    c.at(c.random.uniform(0.3, 5), lambda: setattr(n, "witness", True))


def isolate(c: Cluster, n: Node) -> None:
    """Heartbeats and client network of one node at once."""
    cut_client(c, n)
    lines = [(n.name, p.name) for p in c.nodes] + [(p.name, n.name) for p in c.nodes]
    c.cut.update(lines)
    c.at(c.random.uniform(0.5, 5), lambda: c.cut.difference_update(lines))


def cut_path(c: Cluster, n: Node) -> None:
    path = c.random.choice(PATHS)
    n.paths[path] = False
    c.at(c.random.uniform(0.1, 4), lambda: n.paths.update({path: True}))


def cut_paths(c: Cluster, n: Node) -> None:
    n.paths.update(dict.fromkeys(PATHS, False))
    c.at(c.random.uniform(0.3, 5), lambda: n.paths.update({0: True}))
    c.at(c.random.uniform(0.3, 5), lambda: n.paths.update({1: True}))


def restart_array(c: Cluster, n: Node) -> None:
    c.array.up = False
    c.at(c.random.uniform(0.2, 4), lambda: setattr(c.array, "up", True))


def slow_storage(c: Cluster, n: Node) -> None:
    c.latency = c.random.choice((0.05, 0.2, 0.5))
    c.at(c.random.uniform(0.5, 3), lambda: setattr(c, "latency", 0.004))


def kill_resource(c: Cluster, n: Node) -> None:
    c.fail_resource(n, c.random.choice(("db", "app")))


def break_resource(c: Cluster, n: Node) -> None:
    what = c.random.choice(("db", "app", "mount", "stop db"))
    n.broken.add(what)
    c.at(c.random.uniform(1, 5), lambda: n.broken.discard(what))
    kill_resource(c, n)


def stick(c: Cluster, n: Node) -> None:
    n.stuck = True


def stranger(c: Cluster, n: Node) -> None:
    lun = c.random.choice(c.array.luns)
    lun.register(("stranger", 0), 0, 0x1234)


def move(c: Cluster, n: Node) -> None:
    for owner in c.owners():
        c.command(owner, ev.Verb.MOVE)


def maintain(c: Cluster, n: Node) -> None:
    for owner in c.owners():
        c.command(owner, ev.Verb.MAINTENANCE_ON)
        c.at(c.random.uniform(0.5, 4), lambda owner=owner: c.command(owner, ev.Verb.MAINTENANCE_OFF))


def stop_start(c: Cluster, n: Node) -> None:
    for owner in c.owners():
        c.command(owner, ev.Verb.STOP)
        c.at(c.random.uniform(0.2, 3), lambda owner=owner: c.command(owner, ev.Verb.START))


def restart_array_bare(c: Cluster, n: Node) -> None:
    """Restart of an array that keeps no reservations (no APTPL): the one fault with an honest gap."""
    c.array.restart(aptpl=False)
    restart_array(c, n)


def clear_keys(c: Cluster, n: Node) -> None:
    """CLEAR by hand on some LUNs."""
    for lun in c.array.luns:
        if c.random.random() < 0.6:
            lun.clear()


Fault = Callable[[Cluster, Node], None]
FAULTS: tuple[Fault, ...] = (
    crash, freeze, freeze,
    freeze_soon, freeze_soon, kill_agent, cut_heartbeat, cut_client, isolate, cut_path, cut_paths, restart_array,
    slow_storage, kill_resource, break_resource, stick, stranger, move, maintain, stop_start,
)  # fmt: skip
BARE_FAULTS: tuple[Fault, ...] = (*FAULTS, restart_array_bare, restart_array_bare, clear_keys, clear_keys)


def run_schedule(seed: int, nodes: int = 2, faults: tuple[Fault, ...] = FAULTS, step_function: Any = step) -> Cluster:
    """One random schedule: start, 3 to 8 faults (some at once, some while the last one still works), heal, verdict."""
    c = Cluster(seed, nodes, step_function=step_function)
    c.reserved_only = faults is BARE_FAULTS
    c.run(4.0)
    if not c.in_service():
        raise Violation(f"seed {seed}: not in service after the cold start")
    for _ in range(c.random.randint(2, 6)):
        target = c.random.choice([*c.nodes, *c.owners(), *c.owners()])
        c.random.choice(faults)(c, target)
        c.run(c.now + c.random.choice((0.0, 0.05, 0.3, 0.5, 1.0, 1.3, 2.0, 4.0)))
    heal(c)
    deadline = c.now + CALM
    calm = 0
    while c.now < deadline and calm < 4:
        c.run(c.now + 0.5)
        calm = calm + 1 if c.in_service() else 0
        nudge(c)
    if calm < 4:
        states = {n.name: (n.state.state, n.state.reason) if n.state else None for n in c.nodes}
        raise Violation(f"seed {seed}: not in service {CALM} s after everything was healed: {states}")
    return c


def heal(c: Cluster) -> None:
    """Everything that was broken is repaired; whoever was told to hold back is told to go on."""
    c.cut.clear()
    c.latency, c.array.up = 0.004, True
    for node in c.nodes:
        node.witness, node.stuck = True, False
        node.broken.clear()
        node.paths.update(dict.fromkeys(PATHS, True))


def nudge(c: Cluster) -> None:
    """What an operator would do: leave maintenance, start what was left stopped or failed."""
    for node in c.nodes:
        state = node.state
        if state is None or not node.agent or node.frozen:
            continue
        if state.state is State.MAINTENANCE or "stands off" in state.reason:
            for name in state.unhealthy:
                node.running.add(name)
                c.to_agent(node, ev.ResourceHealth(name, True, "repaired by the operator"))
            c.command(node, ev.Verb.MAINTENANCE_OFF)
        elif state.state in (State.STOPPED, State.FAILED) and node is c.nodes[0]:
            c.command(node, ev.Verb.START)
