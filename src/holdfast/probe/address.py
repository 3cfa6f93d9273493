#!/usr/bin/python3
"""Who answers for an address, seen by a neighbour: one ARP question several times a second, every answer recorded.

Two different hardware addresses in the answers to one question are two hosts with the same address. The question is a
broadcast probe (RFC 5227 section 1.1: sender address 0.0.0.0), so that it changes no neighbour's cache.

    address.py INTERFACE ADDRESS CLIENT SECONDS      one JSON line per question, on standard output
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import time

PERIOD_SECONDS = 0.2
ETHERNET_ARP = 0x0806
BROADCAST = b"\xff" * 6
REQUEST, REPLY = 1, 2


def build_question(source_mac: bytes, address: str) -> bytes:
    """Ethernet frame with an ARP probe for `address` (RFC 826 layout)."""
    arp = struct.pack("!HHBBH", 1, 0x0800, 6, 4, REQUEST)
    return (BROADCAST + source_mac + struct.pack("!H", ETHERNET_ARP) + arp + source_mac + bytes(4) + bytes(6)
            + socket.inet_aton(address))  # fmt: skip


def parse_answer(frame: bytes, address: str) -> str | None:
    """The hardware address that says it has `address`, or None where the frame says something else."""
    if len(frame) < 42 or frame[12:14] != struct.pack("!H", ETHERNET_ARP):
        return None
    (operation,) = struct.unpack_from("!H", frame, 20)
    if operation != REPLY or frame[28:32] != socket.inet_aton(address):
        return None
    return frame[22:28].hex(":")


def ask(link: socket.socket, question: bytes, address: str) -> list[str]:
    """All answers that arrive before the next question is due."""
    link.send(question)
    end = time.monotonic() + PERIOD_SECONDS
    found: dict[str, None] = {}
    while (left := end - time.monotonic()) > 0:
        link.settimeout(left)
        try:
            mac = parse_answer(link.recv(2048), address)
        except OSError:
            continue
        if mac:
            found[mac] = None
    return list(found)


def main(argv: list[str]) -> int:
    interface, address, client, seconds = argv[1:5]
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERNET_ARP))
    link.bind((interface, ETHERNET_ARP))
    question = build_question(link.getsockname()[4], address)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        mono, wall = time.monotonic(), time.time()
        try:
            macs = ask(link, question, address)
        except OSError:  # the client's own link is down: nobody answers, and that is what is recorded
            time.sleep(PERIOD_SECONDS)
            macs = []
        record = {"t_wall": wall, "t_mono": mono, "client": client, "address": address, "macs": macs}
        print(json.dumps(record), flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv))
    except BrokenPipeError:  # the driver is gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
