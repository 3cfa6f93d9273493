"""Addresses by netlink: recorded packets, and this machine's loopback."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

from holdfast_agent.address.netlink import InterfaceAddress, list_addresses, parse_addresses

AGENT = Path(__file__).parents[4] / "agent"

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


# Loopback of a network of its own: nothing of this machine's is touched.
ADD_AND_REMOVE = """
from holdfast_agent.address.netlink import InterfaceAddress, add_address, list_addresses, remove_address
entry = InterfaceAddress("10.9.8.7/24", "lo")
print(add_address(entry), add_address(entry), entry in list_addresses())
print(remove_address(entry), remove_address(entry), entry in list_addresses())
print(remove_address(InterfaceAddress("10.9.8.7/24", "absent")))
try:
    add_address(InterfaceAddress("10.9.8.7/24", "absent"))
except OSError as error:
    print(error.strerror)
"""


def test_an_address_is_added_and_removed_once() -> None:
    program = [sys.executable, "-c", ADD_AND_REMOVE]
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--net", *program], env={"PYTHONPATH": str(AGENT)}, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.split("\n") == ["True False True", "True False False", "False", "No such device", ""], done.stderr
