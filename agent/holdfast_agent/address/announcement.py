"""Gratuitous ARP (RFC 5227, section 3) from the agent itself, beside what keepalived sends.

keepalived announces when it raises an address. These repeats heal a neighbour that missed the burst, while the agent
knows for certain that the address is here.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from pathlib import Path

from .netlink import InterfaceAddress

_ETHERTYPE_ARP, _ETHERTYPE_IPV4 = 0x0806, 0x0800
_BROADCAST = b"\xff" * 6
_REQUEST = 1


def build_announcement(hardware: bytes, address: str) -> bytes:
    """Ethernet frame of an ARP announcement: sender and target are the announced address itself."""
    packed = ipaddress.IPv4Address(address).packed
    arp = struct.pack(">HHBBH", 1, _ETHERTYPE_IPV4, 6, 4, _REQUEST) + hardware + packed + bytes(6) + packed
    return _BROADCAST + hardware + struct.pack(">H", _ETHERTYPE_ARP) + arp


def announce(entry: InterfaceAddress, sysfs: Path = Path("/sys")) -> None:
    """Announce an IPv4 address on its interface; IPv6 has neighbour discovery of its own and is left to keepalived."""
    address = ipaddress.ip_interface(entry.address)
    if address.version != 4:
        return
    hardware = bytes.fromhex((sysfs / "class/net" / entry.interface / "address").read_text().strip().replace(":", ""))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC) as connection:
        connection.bind((entry.interface, 0))
        connection.send(build_announcement(hardware, str(address.ip)))
