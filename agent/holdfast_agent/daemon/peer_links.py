"""Heartbeats out and in, VRRP advertisements as further signs of life, and the announcement of a release."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ..config import NodeConfig
from ..core.events import PeerView
from ..errors import ConfigurationError
from ..peers.message import Heartbeat, ReplayGuard, decode_heartbeat, encode_heartbeat
from ..peers.network import HeartbeatNetwork, open_networks
from .ports import Ports

SECRET_PATH = Path("/etc/holdfast/cluster.key")
# IANA protocol number of VRRP (RFC 5798).
_VRRP = 112
# A release is announced this often, this far apart, on every network: losing all of them only costs a poll interval.
_ANNOUNCEMENTS, _ANNOUNCE_EVERY_SECONDS = 4, 0.05


@dataclass
class PeerSeen:
    """When a peer was last heard, by network."""

    by_network: dict[str, float] = field(default_factory=dict)

    def last(self) -> float | None:
        """The latest moment on any network."""
        return max(self.by_network.values(), default=None)


class PeerLinks:
    """All talking between agents. ``heard`` gets (node, heartbeat or None for a VRRP advertisement)."""

    def __init__(
        self,
        ports: Ports,
        config: NodeConfig,
        secret: bytes,
        epoch: int,
        interval_seconds: float,
        views: Callable[[], dict[str, PeerView]],
        heard: Callable[[str, Heartbeat | None], None],
    ) -> None:
        self._ports, self._config = ports, config
        self._interval, self._views, self._heard = interval_seconds, views, heard
        self._secret = secret
        # Grows with each start and is on stable storage. A clock may be behind after a boot, and peers would stay deaf to
        # this node for as long as its agent runs. Shifted above the nanoseconds that agents sent before.
        self._session, self._counter = epoch << 64, 0
        self._guard = ReplayGuard()
        self.seen = {peer.name: PeerSeen() for peer in config.peers}
        self._networks = open_networks(config)
        for network in self._networks:
            ports.loop.watch(network.socket.fileno(), partial(self._receive, network))
        self._vrrp = self._open_vrrp()
        self._beat()

    def announce_release(self, package: str, term: int) -> None:
        """Tell the peers several times that a package was released in order."""
        for number in range(_ANNOUNCEMENTS):
            moment = self._ports.loop.now + number * _ANNOUNCE_EVERY_SECONDS
            self._ports.loop.call_at(moment, lambda: self._send({package: term}))

    def _beat(self) -> None:
        self._send({})
        self._ports.loop.call_at(self._ports.loop.now + self._interval, self._beat)

    def _send(self, released: dict[str, int]) -> None:
        self._counter += 1
        heartbeat = Heartbeat(self._config.node, self._session, self._counter, self._views(), released)
        datagram = encode_heartbeat(heartbeat, self._secret, self._config.cluster)
        for network in self._networks:
            network.send(datagram)

    def _receive(self, network: HeartbeatNetwork) -> None:
        for datagram in network.receive():
            heartbeat = decode_heartbeat(datagram, self._secret, self._config.cluster)
            if heartbeat is None or not network.sender_is_peer(heartbeat.node):
                continue
            if self._guard.is_new(network.name, heartbeat):
                self.seen[heartbeat.node].by_network[network.name] = self._ports.loop.now
                self._heard(heartbeat.node, heartbeat)

    def _open_vrrp(self) -> socket.socket | None:
        """keepalived of a peer that carries an address speaks even while that peer's agent is restarted."""
        try:
            listener = socket.socket(socket.AF_INET, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, _VRRP)
        except OSError as error:
            self._ports.log.write("no VRRP listener", reason=error.strerror)
            return None
        self._ports.loop.watch(listener.fileno(), self._receive_vrrp)
        return listener

    def _receive_vrrp(self) -> None:
        if self._vrrp is None:
            return
        try:
            _, sender = self._vrrp.recvfrom(2048)
        except OSError:
            return
        for peer in self._config.peers:
            if sender[0] in peer.addresses.values():
                self.seen[peer.name].by_network["vrrp"] = self._ports.loop.now
                self._heard(peer.name, None)


def read_secret(path: Path) -> bytes:
    """The cluster's key file; raises ConfigurationError."""
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}", path=str(path)) from error
    if len(secret) < 16:
        raise ConfigurationError(f"{path}: the cluster key is shorter than 16 bytes", path=str(path))
    return secret
