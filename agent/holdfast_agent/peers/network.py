"""Sockets of the heartbeat: one per network, bound to the node's own address there."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from ..config import NodeConfig

# From the IANA user range, not assigned. Anybody on the network reaches it: what is not signed with the cluster's key is
# dropped (message.py). The roles filter nothing on nodes, see docs/threat_model.md; a site may let in the peers only.
PORT = 7410
_MAXIMUM_DATAGRAM = 65507
# More than peers send between two looks. A flood must not keep the agent from its timers: the rest waits for the next look.
_DATAGRAMS_AT_ONCE = 64


class HeartbeatNetwork:
    """One network: sends to every peer that has an address on it, receives from any."""

    def __init__(self, name: str, own_address: str, peers: dict[str, str], port: int = PORT) -> None:
        self.name = name
        self._peers, self._port = peers, port
        family = socket.AF_INET6 if ":" in own_address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Bound to an address that may not be up yet (a cable is out at boot): it works when it comes.
        self.socket.setsockopt(socket.SOL_IP, 15, 1)  # IP_FREEBIND of include/uapi/linux/in.h
        self.socket.bind((own_address, port))

    def send(self, datagram: bytes) -> None:
        """Send to every peer; a network that is down swallows it, which is what silence means."""
        for address in self._peers.values():
            try:
                self.socket.sendto(datagram, (address, self._port))
            except OSError:
                continue

    def receive(self) -> Iterator[bytes]:
        """What has arrived, a limited number at once."""
        for _ in range(_DATAGRAMS_AT_ONCE):
            try:
                yield self.socket.recv(_MAXIMUM_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:
                # An ICMP error of an earlier send (peer's agent is not up): nothing to read, nothing lost.
                continue

    def sender_is_peer(self, node: str) -> bool:
        """Whether a node is one of the peers on this network."""
        return node in self._peers


def open_networks(config: NodeConfig, port: int = PORT) -> tuple[HeartbeatNetwork, ...]:
    """One socket per heartbeat network of the configuration."""
    networks = []
    for name in config.heartbeat_networks:
        own = config.nodes[config.node].addresses[name]
        peers = {peer.name: peer.addresses[name] for peer in config.peers if name in peer.addresses}
        networks.append(HeartbeatNetwork(name, own, peers, port))
    return tuple(networks)
