"""What the heartbeat's sockets may count on is what the threat model promises."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from types import SimpleNamespace

from holdfast_agent.peers.network import PORT, HeartbeatNetwork

ROOT = Path(__file__).parents[4]


def test_no_code_of_a_node_counts_on_a_packet_filter_that_no_role_sets() -> None:
    roles = {path.relative_to(ROOT / "roles").parts[0] for path in (ROOT / "roles").rglob("*.nft.j2")}
    assert roles == {"iscsi_target"}, "a role filters on nodes now: say so in network.py and in docs/threat_model.md"
    claims = [path.name for path in (ROOT / "agent").rglob("*.py") if "nftables" in path.read_text()]
    assert claims == []


def test_the_threat_model_names_the_port_and_who_reaches_it() -> None:
    (row,) = [line for line in (ROOT / "docs" / "threat_model.md").read_text().splitlines() if f"UDP {PORT}" in line]
    assert "authenticated" in row and "no packet filter on nodes" in row


def test_a_flood_of_datagrams_does_not_hold_the_agent_up() -> None:
    """A sender that is never done: the timers of the loop come first."""
    network = HeartbeatNetwork.__new__(HeartbeatNetwork)
    network.socket = SimpleNamespace(recv=lambda size: b"noise")  # type: ignore[assignment]
    assert len(list(islice(network.receive(), 10_000))) < 1_000
