"""Several simulated nodes on one simulated array, in simulated time, running the real state machine.

What the kernel and the I/O layer do is simulated as unkindly as it can be: a command that was on its way when its node
froze may have left before the freeze, or leave only after the thaw, past every check; answers are delayed; heartbeats
are delayed and lost; a frozen node keeps its mounts and its address. The invariants are checked after every event.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from holdfast_agent.core import actions as act
from holdfast_agent.core import events as ev
from holdfast_agent.core.keys import build_key
from holdfast_agent.core.machine import initial_state, last_proof, step, summary
from holdfast_agent.core.state import MachineState, PackageConfig, State
from holdfast_agent.core.timers import FAST, Timers

from tests.unit.agent.core.sim_array import Array, Lun, Nexus

TICK = 0.2
"""Coarser than the agent's, still below the tolerated stall of the profile used."""
BOOT_SECONDS = 4.0
PATHS = (0, 1)
RESOURCES = ("db", "app")


class Violation(AssertionError):
    """An invariant of the design does not hold."""


@dataclass
class Node:
    """What is outside the state machine: the kernel, the network cards and the I/O layer of one node."""

    name: str
    node_id: int
    epoch: int = 0
    up: bool = False
    agent: bool = False
    frozen: bool = False
    state: MachineState | None = None
    mounted: bool = False
    followed: bool = False
    """Another node read everything back as its own after this one did: what this one still writes is corruption."""
    suspended: bool = False
    running: set[str] = field(default_factory=set)
    address: bool = False
    paths: dict[int, bool] = field(default_factory=lambda: dict.fromkeys(PATHS, True))
    witness: bool = True
    vouched: float = 0.0
    fed_at: float = 0.0
    generation: int = 0
    """Grows with every boot and agent start: what belongs to an earlier life is dropped."""
    backlog: list[Callable[[], None]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    stuck: bool = False
    """Unmounting hangs."""
    wrong_address_since: float | None = None
    proof: float | None = None
    """What an agent leaves for the next one of the same boot."""
    fresh: bool = True
    lost: float = 0.0
    """Seconds that this node's clock missed: a paused virtual machine does not see its pause."""
    commands: int = 0
    """Storage commands asked for in this life of the node."""
    freezes: int = 0
    freeze_at: tuple[int, float] | None = None
    """Freeze right before this command leaves, for so long, unseen by the node's clock."""


class Cluster:
    """The simulation. `run(until)` plays events; faults are methods."""

    def __init__(
        self, seed: int, nodes: int = 2, timers: Timers = FAST, step_function: Any = step, flap_limit: int = 1000
    ) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.timers = timers
        self.step = step_function
        self.flap_limit = flap_limit
        self.array = Array()
        self.nodes = [Node(f"node{i}", i) for i in range(1, nodes + 1)]
        self.queue: list[tuple[float, int, Callable[[], None]]] = []
        self.order = itertools.count()
        self.cut: set[tuple[str, str]] = set()
        self.latency = 0.004
        self.reserved_only = False
        """True: the run loses reservations on purpose; two writers are only wrong while a reservation exists."""
        self.trace: list[str] = []
        self.verbose = False
        self.steps = 0
        self.moves = 0
        self.replies: dict[int, act.Reply] = {}
        self.last_writer: str | None = None
        self.two_addresses_since: float | None = None
        for node in self.nodes:
            self.boot(node)

    def local(self, node: Node) -> float:
        """What the node's own clock shows, in whole nanoseconds: the difference of two floats may run backwards by a last bit."""
        return round(self.now - node.lost, 9)

    # -- engine ------------------------------------------------------------------------------------------------

    def at(self, delay: float, what: Callable[[], None]) -> None:
        heapq.heappush(self.queue, (self.now + delay, next(self.order), what))

    def run(self, until: float) -> None:
        while self.queue and self.queue[0][0] <= until:
            self.now, _, what = heapq.heappop(self.queue)
            what()
            self.check()
        self.now = until

    def say(self, text: str) -> None:
        if self.verbose:
            self.trace.append(f"{self.now:8.3f} {text}")

    # -- nodes -------------------------------------------------------------------------------------------------

    def boot(self, node: Node) -> None:
        node.up, node.frozen, node.fresh = True, False, True
        node.mounted = node.suspended = node.address = node.stuck = False
        node.running.clear()
        node.backlog.clear()
        node.proof = None
        self.start_agent(node)

    def start_agent(self, node: Node) -> None:
        if not node.up or node.agent:
            return
        if node.frozen:
            node.backlog.append(lambda: self.start_agent(node))
            return
        node.agent = True
        node.epoch += 1
        node.generation += 1
        # The agent feeds the watchdog for a package that has not said anything yet (Vouching).
        node.vouched = float("inf")
        node.fed_at = self.now
        node.commands = 0
        config = PackageConfig(
            name="erp",
            node=node.name,
            node_ids=tuple((n.name, n.node_id) for n in self.nodes),
            key=build_key("sim", node.node_id, node.epoch),
            resources=RESOURCES,
            timers=self.timers,
            flap_limit=self.flap_limit,
        )
        node.state = initial_state(config, self.local(node))
        life = node.generation
        self.feed_event(node, life, ev.Boot(node.mounted or bool(node.running), node.fresh, node.proof))
        node.fresh = False
        self.at(self.random.uniform(0, TICK), lambda: self.beat(node, life))

    def crash(self, node: Node) -> None:
        """Power cut; the node boots again after a while."""
        if not node.up:
            return
        self.say(f"{node.name} CRASH")
        self.power_off(node)
        self.at(BOOT_SECONDS, lambda: None if node.up else self.boot(node))

    def power_off(self, node: Node) -> None:
        node.up = node.agent = node.frozen = False
        node.freeze_at = None
        node.mounted = node.suspended = node.address = False
        node.running.clear()
        node.backlog.clear()
        node.generation += 1

    def freeze(self, node: Node, seconds: float, hidden: bool = False) -> None:
        """The whole node stops: kernel, agent, watchdog; `hidden`: its clock stops, too."""
        if not node.up or node.frozen:
            return
        node.frozen = True
        node.freezes += 1
        self.say(f"{node.name} FREEZE {seconds:.2f}")
        number = node.freezes
        self.at(seconds, lambda: self.thaw(node, number, seconds if hidden else 0.0))

    def thaw(self, node: Node, number: int, missed: float) -> None:
        if not node.frozen or node.freezes != number:
            return
        node.lost += missed
        self.say(f"{node.name} THAW")
        node.frozen = False
        node.fed_at = max(node.fed_at, self.now - self.timers.watchdog / 2)
        backlog, node.backlog = node.backlog, []
        self.random.shuffle(backlog)
        for what in backlog:
            self.at(self.random.uniform(0, 0.01), what)

    def kill_agent(self, node: Node) -> None:
        if node.agent:
            self.say(f"{node.name} AGENT KILLED")
            node.agent = False
            node.generation += 1
            self.at(1.0, lambda: self.start_agent(node))

    def beat(self, node: Node, life: int) -> None:
        """The agent's clock: tick, heartbeat, witness, watchdog."""
        if node.generation != life or not node.agent:
            return
        if node.frozen:
            node.backlog.append(lambda: self.beat(node, life))
            return
        if self.local(node) < node.vouched:
            node.fed_at = self.now
        elif self.now - node.fed_at > self.timers.watchdog:
            self.say(f"{node.name} WATCHDOG")
            self.crash(node)
            return
        self.feed_event(node, life, ev.NetworkSeen(True, node.witness))
        if node.generation != life:
            return
        self.heartbeat(node)
        self.at(TICK, lambda: self.beat(node, life))

    def heartbeat(self, node: Node) -> None:
        assert node.state is not None
        view = summary(node.state)
        for peer in self.nodes:
            if peer is node or (node.name, peer.name) in self.cut or self.random.random() < 0.02:
                continue
            delay = self.random.choice((0.001, 0.003, 0.05))
            self.at(delay, lambda peer=peer: self.to_agent(peer, ev.PeerHeard(node.name, view)))

    def to_agent(self, node: Node, event: ev.Event) -> None:
        if node.agent:
            self.feed_event(node, node.generation, event)

    def feed_event(self, node: Node, life: int, event: ev.Event) -> None:
        """Hand one event to the machine and start what it asks for."""
        if node.generation != life or not node.agent or not node.up:
            return
        if node.frozen:
            node.backlog.append(lambda: self.feed_event(node, life, event))
            return
        assert node.state is not None
        self.steps += 1
        mounting = not node.state.active
        node.state, actions = self.step(node.state, event, self.local(node))
        node.proof = last_proof(node.state)
        if mounting and any(isinstance(action, act.Activate) for action in actions):
            self.check_read_back(node, event)
            node.followed = False
            for other in self.nodes:
                other.followed = other.followed or other is not node
        if self.verbose and not isinstance(event, (ev.NetworkSeen, ev.PeerHeard, ev.Tick)):
            self.say(f"{node.name} <- {event}")
        for action in actions:
            if self.verbose:
                self.say(f"{node.name} -> {action}")
            self.start(node, life, action)

    # -- actions -----------------------------------------------------------------------------------------------

    def start(self, node: Node, life: int, action: act.Action) -> None:
        match action:
            case act.FeedWatchdog():
                node.vouched = action.until
            case act.StopFeedingWatchdog():
                node.vouched = -1.0
            case act.RaiseAddress():
                node.address = True
            case act.LowerAddress():
                node.address = False
            case act.Reply():
                self.replies[action.id] = action
            case act.AnnounceRelease():
                for peer in self.nodes:
                    if peer is not node and (node.name, peer.name) not in self.cut:
                        event = ev.PeerReleased(node.name, action.term)
                        self.at(0.002, lambda peer=peer, event=event: self.to_agent(peer, event))
            case act.Log():
                pass
            case _:
                node.commands += isinstance(action, act.StorageCommand.__args__)
                if node.freeze_at is not None and node.commands == node.freeze_at[0]:
                    self.freeze(node, node.freeze_at[1], hidden=True)
                    node.freeze_at = None
                    node.backlog.append(lambda: self.execute(node, life, action, False))
                    return
                delay = self.latency * self.random.uniform(0.2, 2.0)
                self.at(delay, lambda: self.leave(node, life, action))

    def leave(self, node: Node, life: int, action: Any) -> None:
        """The command reaches the array or the kernel, unless its node froze or died first."""
        if node.generation != life or not node.up:
            return
        if node.frozen and self.random.random() < 0.7:
            node.backlog.append(lambda: self.execute(node, life, action, self.random.random() < 0.5))
            return
        self.execute(node, life, action, True)

    def execute(self, node: Node, life: int, action: Any, checked: bool) -> None:
        if node.generation != life or not node.up:
            return
        if checked and self.local(node) > getattr(action, "not_after", self.local(node)):
            result: ev.Event = ev.Done(action.id, ev.Outcome.EXPIRED)
        else:
            result = self.perform(node, action)
        back = self.latency * self.random.uniform(0.2, 2.0)
        self.at(back, lambda: self.feed_event(node, life, result))

    def nexus(self, node: Node) -> list[Nexus]:
        if not self.array.up:
            return []
        return [(node.name, path) for path, up in node.paths.items() if up]

    def luns(self, which: act.Luns) -> list[Lun]:
        return [self.array.lock] if which is act.Luns.LOCK else self.array.data

    def perform(self, node: Node, action: Any) -> ev.Event:
        if isinstance(action, act.WorkCommand.__args__):
            return self.perform_work(node, action)
        nexuses = self.nexus(node)
        if isinstance(action, act.Observe):
            return self.perform_observe(node, action, nexuses)
        if isinstance(action, act.SuspendIo):
            node.suspended = True
            return ev.Done(action.id, ev.Outcome.OK)
        if isinstance(action, act.ResumeIo):
            node.suspended = False
            return ev.Done(action.id, ev.Outcome.OK)
        if not nexuses:
            return ev.Done(action.id, ev.Outcome.NO_PATHS)
        return ev.Done(action.id, self.perform_storage(node, action, nexuses))

    def perform_storage(self, node: Node, action: Any, nexuses: list[Nexus]) -> ev.Outcome:
        ok = True
        match action:
            case act.Register():
                for lun, nexus in itertools.product(self.luns(action.luns), nexuses):
                    current = lun.registered.get(nexus, 0)
                    if current != action.key:
                        ok &= lun.register(nexus, current if current in action.replaces else 0, action.key)
            case act.Unregister():
                for lun, nexus in itertools.product(self.luns(action.luns), nexuses):
                    if lun.registered.get(nexus) == action.key:
                        lun.register(nexus, action.key, 0)
            case act.Reserve():
                for lun in self.luns(action.luns):
                    ok &= lun.holder_key == action.key or any(lun.reserve(nexus) for nexus in nexuses)
            case act.PreemptAndAbort():
                ok = self.perform_preempt(action, nexuses)
            case act.WriteNote():
                ok = self.array.lock.may_write(nexuses[0])
                if ok:
                    self.array.lock.notes, self.array.lock.note_at = action.note, self.now
        return ev.Outcome.OK if ok else ev.Outcome.CONFLICT

    def perform_preempt(self, action: act.PreemptAndAbort, nexuses: list[Nexus]) -> bool:
        ok = True
        for lun in self.luns(action.luns):
            mine = [nexus for nexus in nexuses if lun.registered.get(nexus) == action.key]
            for victim in action.victims:
                if action.luns is act.Luns.DATA and victim not in lun.registered.values():
                    continue
                ok &= bool(mine) and lun.preempt(mine[0], victim)
        return ok

    def perform_observe(self, node: Node, action: act.Observe, nexuses: list[Nexus]) -> ev.Event:
        lock = self.array.lock
        if not nexuses:
            gone = ev.LunView("lock", ev.Problem.NO_PATHS)
            data = tuple(ev.LunView(lun.name, ev.Problem.NO_PATHS) for lun in self.array.data) if action.data else ()
            return ev.Observed(action.id, gone, data, ev.Outcome.NO_PATHS if action.write else None)
        assert node.state is not None
        write = None
        if action.write:
            write = ev.Outcome.OK if lock.may_write(nexuses[0]) else ev.Outcome.CONFLICT
            if write is ev.Outcome.OK:
                lock.beats[node.node_id] = ev.Beat(node.state.key, action.counter, action.serving)
        note = lock.notes
        if note is not None:
            note = replace(note, failure_ages=tuple(age + self.now - lock.note_at for age in note.failure_ages))
        holder = lock.holder_key
        beat = lock.beats.get(holder >> 24 & 0xFF) if holder is not None else None
        beat = beat if beat is not None and beat.key == holder else None
        data = tuple(self.view(node, lun, nexuses) for lun in self.array.data) if action.data else ()
        return ev.Observed(action.id, self.view(node, lock, nexuses), data, write, note, beat)

    def view(self, node: Node, lun: Lun, nexuses: list[Nexus]) -> ev.LunView:
        assert node.state is not None
        registered = sum(lun.registered.get(nexus) == node.state.key for nexus in nexuses)
        return ev.LunView(
            lun=lun.name,
            keys=tuple(lun.registered.values()),
            holder=lun.holder_key,
            generation=lun.generation,
            paths_up=len(nexuses),
            paths_registered=registered,
        )

    def perform_work(self, node: Node, action: Any) -> ev.Event:
        outcome = ev.Outcome.OK
        match action:
            case act.Activate():
                if "mount" in node.broken or not self.nexus(node):
                    outcome = ev.Outcome.ERROR
                else:
                    if self.last_writer not in (None, node.name):
                        self.moves += 1
                    self.last_writer = node.name
                    node.mounted = True
            case act.StartResource():
                if action.name in node.broken or not node.mounted:
                    outcome = ev.Outcome.ERROR
                else:
                    node.running.add(action.name)
            case act.StopResource():
                if f"stop {action.name}" in node.broken:
                    outcome = ev.Outcome.ERROR
                else:
                    node.running.discard(action.name)
            case act.KillDatabase():
                node.running.clear()
            case act.Deactivate():
                if node.stuck or (node.suspended and node.mounted):
                    outcome = ev.Outcome.ERROR
                else:
                    node.mounted = False
            case act.CheckClean():
                outcome = ev.Outcome.OK if not node.mounted and not node.running else ev.Outcome.ERROR
        return ev.Done(action.id, outcome)

    # -- invariants --------------------------------------------------------------------------------------------

    def writes(self, node: Node) -> bool:
        """Does the node believe that it may write, and would the array take it, on any path of any data LUN?"""
        if not node.mounted or node.suspended:
            return False
        return any(lun.may_write(nexus) for nexus in self.nexus(node) for lun in self.array.data)

    def check(self) -> None:
        writers = [node.name for node in self.nodes if self.writes(node)]
        if len(writers) > 1:
            bare = any(lun.holder is None for lun in self.array.data)
            if not (self.reserved_only and bare):
                raise Violation(f"{self.now:.3f}: two writers: {', '.join(writers)}")
        for node in self.nodes:
            if node.followed and not self.reserved_only and self.writes(node):
                raise Violation(f"{self.now:.3f}: {node.name} was replaced and its late writes are taken")
            self.check_address(node)
        self.check_two_addresses()

    def check_read_back(self, node: Node, event: ev.Event) -> None:
        """I3: a mount is decided on one look that showed the own key alone, reserving every LUN, and on nothing else."""
        assert node.state is not None
        views = (event.lock, *event.data) if isinstance(event, ev.Observed) and event.data else ()
        own = node.state.key
        if not views or any(set(view.keys) != {own} or view.holder != own for view in views):
            raise Violation(f"{self.now:.3f}: {node.name} mounts without having read its reservation back")

    def check_address(self, node: Node) -> None:
        """An address outside its owner's hands lives no longer than one round of a running agent."""
        wrong = node.up and node.agent and not node.frozen and node.address and self.array.up and self.nexus(node)
        if wrong and (self.array.lock.holder_key or 0) >> 24 & 0xFF != node.node_id and self.array.lock.holder:
            if node.wrong_address_since is None:
                node.wrong_address_since = self.now
            limit = 2 * self.timers.defend + 8 * self.latency + 0.1
            if self.now - node.wrong_address_since > limit:
                raise Violation(f"{self.now:.3f}: {node.name} keeps the address without the lock LUN")
        else:
            node.wrong_address_since = None

    def check_two_addresses(self) -> None:
        """Nor has a node whose agent is away, or that cannot ask the array, an address beside its successor for long."""
        if sum(node.address and node.up and not node.frozen for node in self.nodes) < 2:
            self.two_addresses_since = None
            return
        if self.two_addresses_since is None:
            self.two_addresses_since = self.now
        if self.now - self.two_addresses_since > self.timers.beat_stall:
            raise Violation(f"{self.now:.3f}: two nodes have had the address since {self.two_addresses_since:.3f}")

    # -- questions ---------------------------------------------------------------------------------------------

    def owners(self) -> list[Node]:
        return [n for n in self.nodes if n.up and n.state is not None and n.agent and n.state.state is State.OWNER]

    def in_service(self) -> bool:
        owners = self.owners()
        if any(node.frozen for node in self.nodes):
            return False
        return len(owners) == 1 and owners[0].address and owners[0].running == set(RESOURCES)

    def command(self, node: Node, verb: ev.Verb, target: str | None = None, up_to: str | None = None) -> int:
        number = next(self.order)
        self.to_agent(node, ev.Command(number, verb, target, up_to))
        return number

    def fail_resource(self, node: Node, name: str) -> None:
        if name in node.running:
            node.running.discard(name)
            self.to_agent(node, ev.ResourceHealth(name, False, "killed"))
