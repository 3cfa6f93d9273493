"""What one agent sends is heard by the others, whatever its node's clock shows."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from holdfast_agent.config import NodeConfig, PeerNode
from holdfast_agent.core.events import PeerView
from holdfast_agent.daemon import peer_links
from holdfast_agent.daemon.peer_links import PeerLinks
from holdfast_agent.peers.message import Heartbeat

NODES = {name: PeerNode(name, number, {"heartbeat": f"10.20.3.1{number}"}) for name, number in (("node1", 1), ("node2", 2))}
VIEW = PeerView("standby", 7, 1, True)


class Wire:
    """The heartbeat network of one node."""

    def __init__(self) -> None:
        self.name, self.socket = "heartbeat", SimpleNamespace(fileno=lambda: 0)
        self.sent: list[bytes] = []
        self.arrived: list[bytes] = []

    def send(self, datagram: bytes) -> None:
        self.sent.append(datagram)

    def receive(self) -> Iterator[bytes]:
        yield from self.arrived

    def sender_is_peer(self, node: str) -> bool:
        return node == "node2"


def build_links(monkeypatch: pytest.MonkeyPatch, node: str, epoch: int, heard: list[str]) -> tuple[PeerLinks, Wire]:
    wire = Wire()
    monkeypatch.setattr(peer_links, "open_networks", lambda config: (wire,))
    monkeypatch.setattr(PeerLinks, "_open_vrrp", lambda self: None)
    loop: Any = SimpleNamespace(now=0.0, call_at=lambda when, what: None, watch=lambda descriptor, what: None)
    ports: Any = SimpleNamespace(loop=loop)
    config = NodeConfig("lab", node, NODES[node].id, NODES, ("heartbeat",), (), "fast", "")

    def told(name: str, heartbeat: Heartbeat | None) -> None:
        heard.append(name)

    return PeerLinks(ports, config, b"s" * 32, epoch, 0.1, lambda: {"erp": VIEW}, told), wire


def test_a_node_is_heard_after_a_boot_with_its_clock_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    links, wire = build_links(monkeypatch, "node1", 4, heard)
    for epoch, clock in ((7, 1_700_000_000), (8, 0)):
        monkeypatch.setattr("time.time_ns", lambda clock=clock: clock * 10**9)
        _, sender = build_links(monkeypatch, "node2", epoch, [])
        wire.arrived = sender.sent
        links._receive(wire)  # type: ignore[arg-type]
    assert heard == ["node2", "node2"]


def test_a_datagram_of_an_earlier_start_is_a_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    links, wire = build_links(monkeypatch, "node1", 4, heard)
    (_, old), (_, new) = (build_links(monkeypatch, "node2", epoch, []) for epoch in (7, 8))
    wire.arrived = [*new.sent, *old.sent]
    links._receive(wire)  # type: ignore[arg-type]
    assert heard == ["node2"]
