"""Echo requests and replies."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest
from holdfast_agent.peers.witness import WitnessProbe, build_echo, checksum, link_is_up, parse_reply

AGENT = Path(__file__).parents[4] / "agent"
IP_HEADER = bytes([0x45]) + bytes(19)


def test_a_packet_with_its_checksum_sums_to_zero() -> None:
    assert checksum(build_echo(0x1234, 7)) == 0


def test_only_replies_count() -> None:
    reply = struct.pack(">BBHHH", 0, 0, 0, 0x1234, 7)
    assert parse_reply(IP_HEADER + reply) == (0x1234, 7)
    assert parse_reply(IP_HEADER + build_echo(0x1234, 7)) is None
    assert parse_reply(IP_HEADER) is None
    assert parse_reply(b"") is None


def test_link(tmp_path: Path) -> None:
    interface = tmp_path / "class/net/client"
    interface.mkdir(parents=True)
    assert not link_is_up("client", tmp_path)
    (interface / "carrier").write_text("1\n")
    assert link_is_up("client", tmp_path)


REPLY = IP_HEADER + struct.pack(">BBHHH", 0, 0, 0, 1, 1)


class Socket:
    """A raw socket in which one reply waits."""

    def __init__(self, *_: object) -> None:
        self.packets = [REPLY]

    def setsockopt(self, *_: object) -> None:
        return

    def recvfrom(self, _: int) -> tuple[bytes, tuple[str, int]]:
        if not self.packets:
            raise BlockingIOError
        return self.packets.pop(), ("10.20.0.1", 0)


@pytest.fixture
def _raw_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast_agent.peers.witness.socket.socket", Socket)
    monkeypatch.setattr("holdfast_agent.peers.witness.os.getpid", lambda: 1)


@pytest.mark.usefixtures("_raw_sockets")
def test_a_flood_of_replies_does_not_hold_the_agent_up() -> None:
    probe = WitnessProbe(("10.20.0.1",))
    flood = [REPLY] * 100_000
    probe.socket.packets = flood  # type: ignore[attr-defined]
    probe.receive(5.0)
    assert probe.answered_at == 5.0 and len(flood) > 99_000


# In a network of its own, where an ordinary user may have a raw socket; its loopback is down at first (SIOCSIFFLAGS, IFF_UP).
PING_ITSELF = """
import fcntl, socket, struct
from holdfast_agent.peers.witness import WitnessProbe, parse_reply
fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8914, struct.pack("16sH14x", b"lo", 1))
probe = WitnessProbe(("127.0.0.1",))
probe.send()
print("reply" if parse_reply(probe.socket.recvfrom(1024)[0]) else "the request arrived here as well")
try:
    print(probe.socket.recvfrom(1024))
except BlockingIOError:
    print("nothing else")
"""


def test_who_pings_this_node_takes_no_room_from_the_witness() -> None:
    program = ["unshare", "--user", "--map-root-user", "--net", sys.executable, "-c", PING_ITSELF]
    done = subprocess.run(program, env={"PYTHONPATH": str(AGENT)}, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines() == ["reply", "nothing else"], done.stderr


@pytest.mark.usefixtures("_raw_sockets")
def test_the_probe_hears_its_own_witness_only() -> None:
    heard, other = WitnessProbe(("10.20.0.1",)), WitnessProbe(("10.20.0.2",))
    heard.receive(5.0)
    other.receive(5.0)
    assert (heard.answered_at, other.answered_at) == (5.0, None)
