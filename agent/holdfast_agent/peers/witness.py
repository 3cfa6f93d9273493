"""Is this node the isolated one? Link of the client interface, and whether any witness answers a ping.

ICMP echo (RFC 792, RFC 4443) over a raw socket of our own: no process is started, nothing blocks.
"""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

_ECHO_REQUEST, _ECHO_REPLY = 8, 0
_HEADER = struct.Struct(">BBHHH")
# include/uapi/linux/icmp.h: ICMP_FILTER of level SOL_RAW takes a mask of the types that are not delivered.
_SOL_RAW, _ICMP_FILTER = 255, 1
_ONLY_REPLIES = struct.pack("=I", 0xFFFFFFFF & ~(1 << _ECHO_REPLY))
# More than witnesses answer between two looks; a flood must not keep the agent from its timers.
_REPLIES_AT_ONCE = 64


def build_echo(identifier: int, sequence: int) -> bytes:
    """An ICMP echo request with its checksum."""
    packet = _HEADER.pack(_ECHO_REQUEST, 0, 0, identifier, sequence)
    return _HEADER.pack(_ECHO_REQUEST, 0, checksum(packet), identifier, sequence)


def checksum(data: bytes) -> int:
    """Internet checksum, RFC 1071."""
    total = sum(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def parse_reply(packet: bytes) -> tuple[int, int] | None:
    """(identifier, sequence) of an echo reply behind its IPv4 header, None for anything else."""
    header_bytes = (packet[0] & 0x0F) * 4 if packet else 0
    if len(packet) < header_bytes + _HEADER.size:
        return None
    kind, _, _, identifier, sequence = _HEADER.unpack_from(packet, header_bytes)
    return (identifier, sequence) if kind == _ECHO_REPLY else None


class WitnessProbe:
    """Pings every witness and remembers when one last answered."""

    def __init__(self, addresses: tuple[str, ...]) -> None:
        self._addresses = addresses
        self._identifier = os.getpid() & 0xFFFF
        self._sequence = 0
        self.answered_at: float | None = None
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK,
                                    socket.IPPROTO_ICMP)  # fmt: skip
        # Else whoever pings this node fills the buffer in which the witness's answers wait.
        self.socket.setsockopt(_SOL_RAW, _ICMP_FILTER, _ONLY_REPLIES)

    def send(self) -> None:
        """Ask every witness once more; no route or no link is simply no answer."""
        self._sequence = (self._sequence + 1) & 0xFFFF
        for address in self._addresses:
            try:
                self.socket.sendto(build_echo(self._identifier, self._sequence), (address, 0))
            except OSError:
                continue

    def receive(self, now: float) -> None:
        """Take in what has arrived, a limited number at once; replies to others come along and are ignored."""
        for _ in range(_REPLIES_AT_ONCE):
            try:
                packet, sender = self.socket.recvfrom(1024)
            except BlockingIOError:
                return
            reply = parse_reply(packet)
            if reply is not None and reply[0] == self._identifier and sender[0] in self._addresses:
                self.answered_at = now


def link_is_up(interface: str, sysfs: Path = Path("/sys")) -> bool:
    """Carrier of an interface; an interface that is set down has none."""
    try:
        return (sysfs / "class/net" / interface / "carrier").read_text().strip() == "1"
    except OSError:
        return False
