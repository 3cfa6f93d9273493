"""The addresses of one package: allowed or not, seen or not, and taken away where they must not be."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from ..address.announcement import announce
from ..address.netlink import InterfaceAddress, add_address, list_addresses, remove_address
from ..address.track_file import write_track_file
from ..config import PackageDefinition
from ..eventlog.writer import INFO, WARNING
from .ports import Ports

# At once, and after keepalived's own burst: a neighbour whose table was written by the old owner in between is healed soon.
_REPEAT_AFTER_SECONDS = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)


class PackageAddresses:
    """Invariant I2 for one package: its addresses are here only while ``allowed``."""

    def __init__(self, ports: Ports, package: PackageDefinition, came_up: Callable[[], None]) -> None:
        self._ports, self._package, self._came_up = ports, package, came_up
        # As the kernel spells them, which matters for IPv6.
        self._wanted = tuple(InterfaceAddress(str(ipaddress.ip_interface(a.address)), a.interface) for a in package.addresses)
        # None until ownership is known: an agent that starts beside a running package must not touch its addresses.
        self._allowed: bool | None = None
        self.present: dict[str, bool] = dict.fromkeys((entry.address for entry in self._wanted), False)

    @property
    def all_present(self) -> bool:
        """Whether every address is here."""
        return all(self.present.values())

    def allow(self) -> None:
        """Have keepalived raise them, and raise them here and now: it waits for an advertisement that nobody sends."""
        self._allowed = True
        write_track_file(self._package.name, True)
        self.refresh(list_addresses())

    def forbid(self) -> None:
        """Have keepalived drop them, and drop them here and now: it may hang or be gone."""
        self._allowed = False
        write_track_file(self._package.name, False)
        self.refresh(list_addresses())

    def refresh(self, addresses: frozenset[InterfaceAddress]) -> None:
        """Take in the addresses of the node as they are now; what was taken away by mistake is put back.

        A keepalived that dies and comes back begins with taking the address away.
        """
        for entry in self._wanted:
            here = entry in addresses or (self._allowed is True and self._add(entry))
            if here and self._allowed is False:
                here = not self._remove(entry)
            if here != self.present[entry.address]:
                self.present[entry.address] = here
                self._changed(entry, here)

    def _add(self, entry: InterfaceAddress) -> bool:
        """Put an address on its interface; returns whether it is there."""
        try:
            if add_address(entry) and self.present[entry.address]:
                self._log("address put back", WARNING, address=entry.address)
                self._announce(entry)
        except OSError as error:
            self._log("address not added", WARNING, address=entry.address, reason=error.strerror)
            return False
        return True

    def _remove(self, entry: InterfaceAddress) -> bool:
        """Take an address away that must not be here; returns whether it is gone."""
        try:
            removed = remove_address(entry)
        except OSError as error:
            self._log("address not removed", WARNING, address=entry.address, reason=error.strerror)
            return False
        if removed:
            self._log("address removed", INFO, address=entry.address, reason="not the owner")
        return True

    def _changed(self, entry: InterfaceAddress, here: bool) -> None:
        self._log("address up" if here else "address down", INFO, address=entry.address, interface=entry.interface)
        if here:
            for seconds in _REPEAT_AFTER_SECONDS:
                self._ports.loop.call_at(self._ports.loop.now + seconds, lambda: self._announce(entry))
            if self.all_present:
                self._came_up()

    def _announce(self, entry: InterfaceAddress) -> None:
        if not (self._allowed and self.present[entry.address]):
            return
        try:
            announce(entry)
        except OSError as error:
            self._log("address not announced", WARNING, address=entry.address, reason=error.strerror)

    def _log(self, event: str, level: str, **fields: object) -> None:
        self._ports.log.write(event, package=self._package.name, level=level, **fields)
