"""The agent of one node: every package's machine, and what belongs to the node as a whole."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..address.netlink import drain_events, list_addresses, open_address_events
from ..address.notify_fifo import NotifyReader, open_notify_fifo
from ..agent_version import VERSION
from ..children.messages import JobEnd
from ..children.pool import Pool
from ..config import NodeConfig, PackageDefinition
from ..control.protocol import STATUS, Request
from ..control.server import Asker, ControlServer
from ..core.events import Command, NetworkSeen, PeerHeard, PeerReleased, PeerView, Verb
from ..core.keys import build_key
from ..core.state import State
from ..core.timers import Timers
from ..eventlog.writer import ERROR, INFO, WARNING
from ..peers.message import Heartbeat
from ..peers.witness import WitnessProbe, link_is_up
from ..watchdog.device import Countdown
from .durations import preview_answer
from .package_agent import PackageAgent, Vouching, build_config
from .peer_links import PeerLinks
from .pooled_move import Poolers, add_pooler_checks
from .ports import Ports
from .status import SCHEMA, package_status
from .waiting_move import TransactionLimit, add_transaction_check

# In memory, so it is gone after a boot: tells the first agent start of a boot from the later ones.
STARTED_MARK = Path("/run/holdfast/started")
# A witness is pinged every second heartbeat, and is out of reach when it has not answered three of these in a row.
_WITNESS_EVERY_HEARTBEATS, _WITNESS_MISSES = 2, 3


class NodeAgent:
    """Built once, then driven by the loop alone."""

    def __init__(
        self,
        ports: Ports,
        config: NodeConfig,
        packages: tuple[PackageDefinition, ...],
        timers: Timers,
        secret: bytes,
        epoch: int,
        watchdog: Countdown | None,
    ) -> None:
        self._ports, self._config, self._timers, self._watchdog = ports, config, timers, watchdog
        self._begun = ports.loop.now
        self._numbers = itertools.count(1)
        self._vouching = Vouching(self._vouched)
        # What each machine was last told about each peer, and when.
        self._passed_on: dict[tuple[str, str], tuple[float, PeerView | None]] = {}
        self._network_told: dict[str, NetworkSeen] = {}
        self._fed = True
        self._key = build_key(config.cluster, config.node_id, epoch)
        self._pool = Pool(ports.loop, ports.zygote, "hf-node")
        self.packages: dict[str, PackageAgent] = {}
        self._links = PeerLinks(ports, config, secret, epoch, timers.heartbeat, self._views, self._heard)
        for package in packages:
            if config.node in package.nodes:
                machine = build_config(config, package, self._key, timers)
                self.packages[package.name] = PackageAgent(
                    ports, config, package, machine, self._vouching, self._links.announce_release, secret
                )
        self._witness = WitnessProbe(config.witness)
        self._address_events = open_address_events()
        self._notify, self._notify_reader = open_notify_fifo(), NotifyReader()
        ports.loop.watch(self._witness.socket.fileno(), lambda: self._witness.receive(ports.loop.now))
        ports.loop.watch(self._address_events.fileno(), self._addresses_changed)
        ports.loop.watch(self._notify, self._routers_changed)
        ControlServer(ports.loop, self._handle)

    def start(self) -> None:
        """Begin: look at what is here, then let every machine run."""
        fresh = not STARTED_MARK.exists()
        STARTED_MARK.parent.mkdir(parents=True, exist_ok=True)
        STARTED_MARK.touch()
        self._ports.log.write("agent started", version=VERSION, key=f"0x{self._key:016x}", fresh=fresh,
                              profile=self._timers.profile, packages=list(self.packages))  # fmt: skip
        self._probe_network()
        if self._watchdog is not None and self._watchdog.inherited:
            # One that is killed again and again lives for less than an interval: it must not put the reset off for ever.
            self._ports.loop.call_at(self._ports.loop.now + self._timers.feed, self._feed)
        else:
            self._feed()
        for agent in self.packages.values():
            agent.boot(fresh)

    def ask_child(self, function: Callable[[], Any], seconds: float, answered: Callable[[JobEnd], None]) -> None:
        """Run something that may block in a child."""
        self._pool.submit(function, (), self._ports.loop.now + seconds, answered)

    def stop(self, machine_goes_down: bool) -> None:
        """Last words: the watchdog is disarmed, unless a package here cannot be left alone.

        Then it stays armed, as for an agent that is killed, and resets the node where no next agent is there in time.
        """
        left = [name for name, agent in self.packages.items() if agent.needs_agent(machine_goes_down)]
        if left:
            self._ports.log.write("watchdog stays armed", level=WARNING, reason=", ".join(left))
        elif self._watchdog is not None:
            self._watchdog.disarm()
            self._watchdog = None

    # -- node-wide inputs ------------------------------------------------------------------------------------------

    def _heard(self, node: str, heartbeat: Heartbeat | None) -> None:
        for name, agent in self.packages.items():
            if node not in agent.package.nodes:
                continue
            view = heartbeat.views.get(name) if heartbeat else None
            if self._is_news(node, name, view):
                agent.send(PeerHeard(node, view))
            if heartbeat and name in heartbeat.released:
                agent.send(PeerReleased(node, heartbeat.released[name]))

    def _is_news(self, node: str, package: str, view: PeerView | None) -> bool:
        """Whether a sign of life tells a machine something: a changed view, or the first one for a tick.

        The same heartbeat comes on every network; passing each on would double the work of every machine.
        """
        now, (at, known) = self._ports.loop.now, self._passed_on.get((node, package), (0.0, None))
        if now - at < self._timers.tick and view in (known, None):
            return False
        self._passed_on[(node, package)] = (now, view or known)
        return True

    def _views(self) -> dict[str, PeerView]:
        return {name: agent.view() for name, agent in self.packages.items()}

    def _probe_network(self) -> None:
        """Ask the witness, and tell every package how its client network looks."""
        now = self._ports.loop.now
        interval = _WITNESS_EVERY_HEARTBEATS * self._timers.heartbeat
        patience = _WITNESS_MISSES * interval
        self._witness.send()
        answered_at = self._witness.answered_at
        # A witness that was only just asked for the first time is not out of reach: nothing is said until it is known.
        if answered_at is not None or now - self._begun > patience:
            self._tell_network(answered_at is not None and now - answered_at <= patience)
        self._ports.loop.call_at(now + interval, self._probe_network)

    def _tell_network(self, answered: bool) -> None:
        for name, agent in self.packages.items():
            interfaces = {address.interface for address in agent.package.addresses}
            seen = NetworkSeen(all(link_is_up(interface) for interface in interfaces), answered)
            if self._network_told.get(name) != seen:
                self._network_told[name] = seen
                agent.send(seen)

    def _addresses_changed(self) -> None:
        drain_events(self._address_events)
        addresses = list_addresses()
        for agent in self.packages.values():
            agent.addresses_changed(addresses)

    def _routers_changed(self) -> None:
        for change in self._notify_reader.read(self._notify):
            self._ports.log.write("virtual router", router=change.router, router_state=change.state)

    # -- watchdog --------------------------------------------------------------------------------------------------

    def _feed(self) -> None:
        self._feed_once()
        self._ports.loop.call_at(self._ports.loop.now + self._timers.feed, self._feed)

    def _vouched(self) -> None:
        """A package vouches: if the last feeding was missed, it is made up for now and not an interval later."""
        if not self._fed:
            self._feed_once()

    def _feed_once(self) -> None:
        now = self._ports.loop.now
        vouched = self._vouching.holds(now)
        if vouched and self._watchdog is not None:
            self._watchdog.feed()
        if vouched != self._fed:
            self._fed = vouched
            late = [name for name, until in self._vouching.until.items() if until <= now]
            level, word = (INFO, "fed again") if vouched else (ERROR, "not fed")
            self._ports.log.write(f"watchdog {word}", level=level, reason=", ".join(late))

    # -- control ---------------------------------------------------------------------------------------------------

    def _handle(self, request: Request, asker: Asker) -> None:
        if request.verb == STATUS:
            asker.answer(self.status())
            return
        agent = self.packages.get(request.package or "")
        if agent is None:
            asker.answer({"ok": False, "reason": f"no package {request.package} on this node"})
            return
        self._ports.log.write("command", package=request.package, verb=request.verb, target=request.target,
                              without_poolers=request.without_poolers)  # fmt: skip
        limit = None
        if request.longest_transaction is not None:
            limit = TransactionLimit(request.longest_transaction, request.wait, lambda: not asker.has_left())
        if request.preview:
            self._preview(agent, request, asker, limit)
            return
        command = Command(next(self._numbers), Verb(request.verb), request.target, request.up_to)
        poolers = Poolers.IGNORED if request.without_poolers else Poolers.REQUIRED
        agent.command(command, lambda ok, reason: asker.answer({"ok": ok, "reason": reason}), poolers, limit)

    def _preview(self, agent: PackageAgent, request: Request, asker: Asker, limit: TransactionLimit | None) -> None:
        answer = preview_answer(agent.state, self._ports.loop.now, request.target, agent.durations.last)
        if not request.without_poolers:
            answer = add_pooler_checks(answer, agent.poolers.status())
        if agent.state.state is State.OWNER:
            agent.moves.ask(lambda end: asker.answer(add_transaction_check(answer, end, limit)))
        else:
            asker.answer(answer)

    def command(self, agent: PackageAgent, verb: Verb, answer: Callable[[bool, str], None]) -> None:
        """Give a package's machine a command of the agent's own, which no pooler can hold up."""
        agent.command(Command(next(self._numbers), verb), answer, Poolers.WANTED)

    def status(self) -> dict[str, Any]:
        """The status document of the contract."""
        now = self._ports.loop.now
        return {
            "schema": SCHEMA,
            "node": self._config.node,
            "boot_id": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
            "agent": {
                "version": VERSION,
                "pid": os.getpid(),
                "uptime_seconds": round(now - self._begun, 1),
                "watchdog": self._watchdog.identity if self._watchdog else None,
                "fed": self._fed,
            },
            "packages": {name: package_status(agent, now) for name, agent in self.packages.items()},
            "peers": {peer.name: self._peer_status(peer.name, now) for peer in self._config.peers},
        }

    def _peer_status(self, name: str, now: float) -> dict[str, Any]:
        seen = self._links.seen[name]
        last = seen.last()
        return {
            "alive": last is not None and now - last < self._timers.silence,
            "last_seen_seconds": round(now - last, 3) if last is not None else None,
            "networks": {network: round(now - moment, 3) for network, moment in seen.by_network.items()},
        }
