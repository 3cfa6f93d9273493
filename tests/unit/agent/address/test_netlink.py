"""Addresses by netlink: recorded packets, and this machine's loopback."""

from __future__ import annotations

import struct

from holdfast_agent.address.netlink import InterfaceAddress, list_addresses, parse_addresses

# One RTM_NEWADDR (127.0.0.1/8 on index 1, with label and cache info cut away) and NLMSG_DONE.
NEW = struct.pack("=IHHII", 40, 20, 2, 1, 0) + struct.pack("=BBBBI", 2, 8, 0x80, 254, 1)
NEW += struct.pack("=HH", 8, 1) + bytes([127, 0, 0, 1]) + struct.pack("=HH", 8, 2) + bytes([127, 0, 0, 1])
DONE = struct.pack("=IHHIIi", 20, 3, 2, 1, 0, 0)


def test_a_dump_packet() -> None:
    assert list(parse_addresses(NEW + DONE)) == [(20, 1, "127.0.0.1/8"), (3, 0, "")]


def test_a_cut_packet_ends_quietly() -> None:
    assert list(parse_addresses(struct.pack("=IHHII", 0, 20, 0, 0, 0))) == []


def test_the_loopback_of_this_machine_is_found() -> None:
    assert InterfaceAddress("127.0.0.1/8", "lo") in list_addresses()
