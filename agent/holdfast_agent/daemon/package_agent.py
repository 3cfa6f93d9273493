"""One package on this node: feeds events to its state machine and carries out what it asks for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ..address.netlink import InterfaceAddress
from ..children.messages import JobEnd
from ..children.pool import Pool
from ..config import NodeConfig, PackageDefinition
from ..core import actions as act
from ..core.events import Boot, Command, Event, PeerView, Tick, Verb
from ..core.machine import initial_state, last_proof, next_deadline, step, summary
from ..core.state import MachineState, PackageConfig, State, Step
from ..core.timers import Timers
from ..eventlog.writer import INFO
from ..storage.targets import StorageTargets
from .addresses import PackageAddresses
from .detached_marks import take_detached_mark
from .durations import StepDurations
from .health import HealthWatches
from .loop import Timer
from .pooled_move import Means, PooledMoves, Poolers
from .pooler_links import PoolerLinks
from .ports import Ports
from .storage_channel import StorageChannel
from .timeline import TakeoverTimeline
from .verified_marks import forget_verified, mark_verified, read_verified
from .waiting_move import TransactionLimit, WaitingMoves
from .work_channel import WorkChannel

# How long the inspection at agent start may take before the package is taken for running, which is the careful answer.
INSPECT_SECONDS = 10.0
# LVM reads every device: not while clients come back. Nothing of a takeover waits for it.
CLAIM_AFTER_SECONDS = 5.0
Answer = Callable[[bool, str], None]


@dataclass
class Vouching:
    """Until when each package vouches for the node; the watchdog is fed only while all do."""

    changed: Callable[[], None]
    until: dict[str, float] = field(default_factory=dict)

    def holds(self, now: float) -> bool:
        """Whether every package vouches at this moment."""
        return all(moment > now for moment in self.until.values())


def build_config(node: NodeConfig, package: PackageDefinition, key: int, timers: Timers) -> PackageConfig:
    """What the machine has to know, from the node's files."""
    return PackageConfig(
        name=package.name,
        node=node.node,
        node_ids=tuple((name, node.nodes[name].id) for name in package.nodes),
        key=key,
        resources=tuple(resource.name for resource in package.resources),
        timers=timers,
        auto_start=package.auto_start,
        failback=package.failback,
    )


class PackageAgent:
    """Adapter between one machine and the outside."""

    def __init__(
        self,
        ports: Ports,
        node: NodeConfig,
        package: PackageDefinition,
        config: PackageConfig,
        vouching: Vouching,
        announce_release: Callable[[str, int], None],
        secret: bytes,
    ) -> None:
        self._ports, self.package, self._vouching = ports, package, vouching
        self._announce_release = announce_release
        self.state: MachineState = initial_state(config, ports.loop.now)
        targets = StorageTargets(package.name, node.node_id, package.lock_lun, package.luns)
        self.storage = StorageChannel(ports, targets, self.send)
        self._work = WorkChannel(ports, package, self.send)
        self._health = HealthWatches(ports, package, config.timers.slow_limit, self.send)
        self.timeline = TakeoverTimeline()
        self.durations = StepDurations()
        self.addresses = PackageAddresses(ports, package, self._address_up)
        pool = Pool(ports.loop, ports.zygote, f"hf-p-{package.name}", spare=len(package.poolers))
        self.poolers = PoolerLinks(ports, package, pool, secret)
        means = Means(ports, package, self.poolers, pool, lambda: self.state, self._give)
        self.moves = WaitingMoves(means, PooledMoves(means))
        self._answers: dict[int, Answer] = {}
        self._events: deque[Event] = deque()
        self._timer: Timer | None = None
        vouching.until[package.name] = float("inf")

    def boot(self, fresh: bool) -> None:
        """Look what is here, then start the machine."""

        def found(end: JobEnd) -> None:
            active = not end.ok or bool(end.value)
            what = ", ".join(end.value) if end.ok else f"inspection failed: {end.error_text}"
            self._log("inspected", found=what or "nothing")
            self._work.prepare()
            if not active:
                self.addresses.forbid()
            self.send(Boot(active, fresh, read_verified(self.package.name)))

        self._work.inspect(self._ports.loop.now + INSPECT_SECONDS, found)

    def send(self, event: Event) -> None:
        """Apply one event and carry out the actions, in their order; events that arise meanwhile come after it."""
        self._events.append(event)
        if len(self._events) > 1:
            return
        while self._events:
            self._apply(self._events[0])
            self._events.popleft()
        self._schedule_tick()

    def _apply(self, event: Event) -> None:
        before = self.state
        self.state, actions = step(before, event, self._ports.loop.now)
        self.timeline.follow(before, self.state)
        self.durations.follow(before, self.state)
        for action in actions:
            self._carry_out(action)
        if before.state is not self.state.state:
            self._state_changed(before)
        self._mark_proof(before)

    def _mark_proof(self, before: MachineState) -> None:
        proof, known = last_proof(self.state), last_proof(before)
        if proof is None:
            if known is not None:
                forget_verified(self.package.name)
        elif proof != known:
            mark_verified(self.package.name, proof)

    def addresses_changed(self, addresses: frozenset[InterfaceAddress]) -> None:
        """The node's addresses are others. The machine looks at the clock first: a node that was frozen keeps none."""
        self.send(Tick())
        self.addresses.refresh(addresses)

    def command(
        self, command: Command, answer: Answer, poolers: Poolers = Poolers.REQUIRED, limit: TransactionLimit | None = None
    ) -> None:
        """An operator's command; ``answer`` is called once."""
        self.moves.command(command, poolers, answer, limit)

    def _give(self, command: Command, answer: Answer) -> None:
        self._answers[command.id] = answer
        self.send(command)

    def needs_agent(self, machine_goes_down: bool) -> bool:
        """Would the package run here without anybody who can stop it, while other nodes do not stand off?

        A machine that goes down ends what was not moved; not what an ejected node could not end.
        """
        s = self.state
        if machine_goes_down:
            return s.tripped
        return (s.active or not s.booted) and s.state not in (State.DETACHED, State.MAINTENANCE)

    def view(self) -> PeerView:
        """What this node's heartbeat says about the package."""
        return summary(self.state)

    def _carry_out(self, action: act.Action) -> None:
        match action:
            case act.Log():
                self._log(action.decision, state=action.state, reason=action.reason)
            case act.Reply():
                self._answers.pop(action.id)(action.ok, action.reason)
            case act.RaiseAddress():
                self.timeline.address_allowed(self._ports.loop.now)
                self.addresses.allow()
            case act.LowerAddress():
                self._log("lower address", reason=action.reason)
                self.addresses.forbid()
            case act.FeedWatchdog():
                self._vouching.until[self.package.name] = action.until
                self._vouching.changed()
            case act.StopFeedingWatchdog():
                self._log("stop feeding the watchdog", reason=action.reason)
                self._vouching.until[self.package.name] = float("-inf")
            case act.AnnounceRelease():
                self._announce_release(self.package.name, action.term)
            case act.Observe() | act.Register() | act.Reserve() | act.PreemptAndAbort() | act.Unregister():
                self.storage.start(action, self.state.key)
            case act.WriteNote() | act.SuspendIo() | act.ResumeIo():
                self.storage.start(action, self.state.key)
            case _:
                self._start_work(action)

    def _start_work(self, command: act.WorkCommand) -> None:
        if isinstance(command, act.StopResource):
            self._health.end(command.name)
        elif isinstance(command, (act.KillDatabase, act.Deactivate)):
            self._health.end_all()
        self._work.start(command, self._work_ended)

    def _work_ended(self, command: act.WorkCommand, ok: bool) -> None:
        if ok and isinstance(command, act.StartResource):
            self._health.begin(command.name, self._work.pids.get(command.name))

    def _state_changed(self, before: MachineState) -> None:
        if self.state.state not in (State.OWNER, State.MAINTENANCE):
            self.poolers.end()
        elif self.state.state is State.OWNER:
            self.poolers.begin(self.state.term)
        if self.state.state is State.DETACHED and before.step is Step.ADOPT and take_detached_mark(self.package.name):
            self.command(Command(0, Verb.ATTACH), lambda ok, reason: self._log("attached again", ok=ok, reason=reason))
        if self.state.state is State.OWNER and before.state is not State.MAINTENANCE:
            # Adopted ones were not started by this agent, so nothing has begun to watch them.
            self._health.begin_all(self._work.pids)
            self._ports.loop.call_at(self._ports.loop.now + CLAIM_AFTER_SECONDS, self._claim)
            self._report_takeover()

    def _claim(self) -> None:
        if self.state.state in (State.OWNER, State.MAINTENANCE):
            self._work.claim()

    def _report_takeover(self) -> None:
        taken = self.timeline.finish(self._ports.loop.now)
        if taken is not None:
            self._log("takeover", **taken)

    def _address_up(self) -> None:
        self.timeline.address_up(self._ports.loop.now)

    def _schedule_tick(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._ports.loop.call_at(next_deadline(self.state), lambda: self.send(Tick()))

    def _log(self, event: str, **fields: object) -> None:
        fields.setdefault("state", self.state.state.value)
        self._ports.log.write(event, package=self.package.name, level=INFO, **fields)
