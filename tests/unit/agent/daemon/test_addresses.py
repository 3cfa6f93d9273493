"""Addresses of a package follow what the agent allows, whatever else changes them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from holdfast_agent.address.netlink import InterfaceAddress
from holdfast_agent.daemon import addresses
from holdfast_agent.daemon.verified_marks import forget_verified, mark_verified, read_verified

VIP = InterfaceAddress("10.20.0.50/24", "client")


class Node:
    """A node's interfaces, with the calls that the agent makes on them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, address: str = VIP.address) -> None:
        self.there: set[InterfaceAddress] = set()
        self.events: list[str] = []
        self.announced = 0
        self.may_raise: bool | None = None
        monkeypatch.setattr(addresses, "list_addresses", lambda: frozenset(self.there))
        monkeypatch.setattr(addresses, "add_address", self.add)
        monkeypatch.setattr(addresses, "remove_address", self.remove)
        monkeypatch.setattr(addresses, "announce", self.announce)
        monkeypatch.setattr(addresses, "write_track_file", lambda package, may_raise: setattr(self, "may_raise", may_raise))
        loop = SimpleNamespace(now=0.0, call_at=lambda moment, what: what())
        log = SimpleNamespace(write=lambda event, **fields: self.events.append(event))
        package = SimpleNamespace(name="erp", addresses=[SimpleNamespace(address=address, interface=VIP.interface)])
        ports: Any = SimpleNamespace(loop=loop, log=log)
        self.package = addresses.PackageAddresses(ports, package, lambda: None)  # type: ignore[arg-type]

    def add(self, entry: InterfaceAddress) -> bool:
        new = entry not in self.there
        self.there.add(entry)
        return new

    def remove(self, entry: InterfaceAddress) -> bool:
        was = entry in self.there
        self.there.discard(entry)
        return was

    def announce(self, entry: InterfaceAddress) -> None:
        self.announced += 1

    def change(self, *entries: InterfaceAddress) -> None:
        """Somebody else sets the addresses; the agent is told."""
        self.there = set(entries)
        self.package.refresh(frozenset(entries))


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Node:
    return Node(monkeypatch)


def test_an_allowed_address_is_there_at_once_and_announced(node: Node) -> None:
    node.package.allow()
    assert VIP in node.there and node.may_raise and node.package.all_present and node.announced
    assert node.events == ["address up"]


def test_a_forbidden_address_is_gone_at_once(node: Node) -> None:
    node.package.allow()
    node.package.forbid()
    assert VIP not in node.there and not node.may_raise and not node.package.all_present
    node.change(VIP)
    assert VIP not in node.there, "keepalived had hung and raised it late"


def test_an_address_is_known_however_its_definition_spells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel has one spelling; an address that is not known would never be taken away."""
    node = Node(monkeypatch, "2001:DB8:0:0::50/64")
    node.package.forbid()
    node.change(InterfaceAddress("2001:db8::50/64", VIP.interface))
    assert node.there == set()


def test_an_allowed_address_that_is_taken_away_is_put_back_and_announced(node: Node) -> None:
    node.package.allow()
    before = node.announced
    node.change()
    assert VIP in node.there and node.package.all_present
    assert node.events == ["address up", "address put back"] and node.announced > before


def test_nothing_is_touched_before_ownership_is_known(node: Node) -> None:
    node.change(VIP)
    assert VIP in node.there
    node.change()
    assert VIP not in node.there


def test_the_last_proof_is_remembered_until_it_says_nothing_any_more(tmp_path: Path) -> None:
    assert read_verified("erp", tmp_path) is None
    mark_verified("erp", 12345.678, tmp_path)
    mark_verified("erp", 9.5, tmp_path)
    assert read_verified("erp", tmp_path) == 9.5
    forget_verified("erp", tmp_path)
    forget_verified("erp", tmp_path)
    assert read_verified("erp", tmp_path) is None
