"""Heartbeat datagrams: authentic, of this cluster, not older than the last."""

from __future__ import annotations

import hmac
import json

import pytest
from holdfast_agent.core.events import PeerView
from holdfast_agent.peers.message import Heartbeat, ReplayGuard, decode_heartbeat, encode_heartbeat

SECRET = b"s" * 32
BEAT = Heartbeat("node1", 100, 7, {"erp": PeerView("owner", 2**63 + 1, 4, False)}, {"erp": 4})


def test_round_trip() -> None:
    assert decode_heartbeat(encode_heartbeat(BEAT, SECRET, "lab"), SECRET, "lab") == BEAT


@pytest.mark.parametrize("change", [lambda d: d[:-1], lambda d: d[:40] + b"X" + d[41:], lambda d: b"", lambda d: d[:10]])
def test_a_changed_datagram_is_nobody(change) -> None:  # type: ignore[no-untyped-def]
    assert decode_heartbeat(change(encode_heartbeat(BEAT, SECRET, "lab")), SECRET, "lab") is None


def test_another_key_or_cluster_is_nobody() -> None:
    datagram = encode_heartbeat(BEAT, SECRET, "lab")
    assert decode_heartbeat(datagram, b"t" * 32, "lab") is None
    assert decode_heartbeat(datagram, SECRET, "other") is None


def test_an_authentic_message_of_another_version_is_nobody() -> None:
    text = json.dumps({"schema": 2}).encode()
    assert decode_heartbeat(hmac.digest(SECRET, text, "sha256") + text, SECRET, "lab") is None


def test_each_datagram_passes_once_per_network() -> None:
    guard = ReplayGuard()
    assert guard.is_new("heartbeat", BEAT)
    assert not guard.is_new("heartbeat", BEAT)
    assert guard.is_new("client", BEAT)
    assert not guard.is_new("heartbeat", Heartbeat("node1", 100, 6))
    assert not guard.is_new("heartbeat", Heartbeat("node1", 99, 1000))
    assert guard.is_new("heartbeat", Heartbeat("node1", 101, 1))
