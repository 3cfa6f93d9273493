"""Addresses of the node's interfaces by rtnetlink(7): list, notice, add, remove. No process is started."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

# include/uapi/linux/rtnetlink.h and netlink.h.
_RTM_DELADDR, _RTM_GETADDR, _NEWADDR = 21, 22, 20
_REQUEST, _ACK, _DUMP, _CREATE, _EXCLUSIVE = 0x1, 0x4, 0x300, 0x400, 0x200
_ERROR, _DONE = 2, 3
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_GROUPS = 0x10 | 0x100
_HEADER, _ADDRESS, _ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BBBBI"), struct.Struct("=HH")
_BUFFER_BYTES = 65536


@dataclass(frozen=True)
class InterfaceAddress:
    """One address with its prefix length on one interface."""

    address: str
    interface: str


def open_address_events() -> socket.socket:
    """A socket that becomes readable when an address appears or goes."""
    connection = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    connection.bind((0, _GROUPS))
    return connection


def drain_events(connection: socket.socket) -> None:
    """Throw away what is waiting: the addresses are listed afresh, so an overrun loses nothing."""
    while True:
        try:
            if not connection.recv(_BUFFER_BYTES):
                return
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise


def list_addresses() -> frozenset[InterfaceAddress]:
    """Every address of every interface."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC) as connection:
        body = _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
        connection.send(_message(_RTM_GETADDR, _REQUEST | _DUMP, body))
        return frozenset(_receive_dump(connection))


def add_address(entry: InterfaceAddress) -> bool:
    """Put an address on its interface at once; returns whether it was not there yet. OSError where it cannot be."""
    code = _change(_NEWADDR, _CREATE | _EXCLUSIVE, entry)
    if code and code != errno.EEXIST:
        raise OSError(code, os.strerror(code))
    return code == 0


def remove_address(entry: InterfaceAddress) -> bool:
    """Take an address off its interface at once; returns whether it was there."""
    code = _change(_RTM_DELADDR, 0, entry)
    if code and code not in (errno.EADDRNOTAVAIL, errno.ENODEV):
        raise OSError(code, os.strerror(code))
    return code == 0


def _change(kind: int, flags: int, entry: InterfaceAddress) -> int:
    """Errno of the kernel's answer, 0 for done."""
    interface = ipaddress.ip_interface(entry.address)
    packed = interface.ip.packed
    family = socket.AF_INET if interface.version == 4 else socket.AF_INET6
    try:
        index = socket.if_nametoindex(entry.interface)
    except OSError:
        return errno.ENODEV
    body = _ADDRESS.pack(family, interface.network.prefixlen, 0, 0, index)
    body += _attribute(_IFA_LOCAL, packed) + _attribute(_IFA_ADDRESS, packed)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC) as connection:
        connection.send(_message(kind, _REQUEST | _ACK | flags, body))
        (code,) = struct.unpack_from("=i", connection.recv(_BUFFER_BYTES), _HEADER.size)
    return int(-code)


def parse_addresses(packet: bytes) -> Iterator[tuple[int, int, str]]:
    """(message type, interface index, address/prefix) of a packet of address messages."""
    offset = 0
    while offset + _HEADER.size <= len(packet):
        length, kind, _, _, _ = _HEADER.unpack_from(packet, offset)
        if length < _HEADER.size:
            return
        if kind == _NEWADDR:
            yield kind, *_parse_address(packet[offset + _HEADER.size : offset + length])
        else:
            yield kind, 0, ""
        offset += (length + 3) & ~3


def _parse_address(body: bytes) -> tuple[int, str]:
    family, prefix, _, _, index = _ADDRESS.unpack_from(body)
    attributes = dict(_attributes(body[_ADDRESS.size :]))
    # IPv6 has no IFA_LOCAL; on a point-to-point link IFA_ADDRESS is the other end.
    packed = attributes.get(_IFA_LOCAL, attributes.get(_IFA_ADDRESS, b""))
    return index, f"{socket.inet_ntop(family, packed)}/{prefix}" if packed else ""


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < _ATTRIBUTE.size:
            return
        yield kind, data[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3


def _receive_dump(connection: socket.socket) -> Iterator[InterfaceAddress]:
    while True:
        for kind, index, address in parse_addresses(connection.recv(_BUFFER_BYTES)):
            if kind in (_DONE, _ERROR):
                return
            if address:
                try:
                    yield InterfaceAddress(address, socket.if_indextoname(index))
                except OSError:
                    # The interface went away between the dump and the question for its name.
                    continue


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value


def _message(kind: int, flags: int, body: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, 1, 0) + body
