"""A simulated array: SCSI-3 persistent reservations of type 5 over several nexuses, as SPC-4 and LIO do them."""

from __future__ import annotations

from dataclasses import dataclass, field

from holdfast_agent.core.events import Beat, Note

Nexus = tuple[str, int]
"""(node, path): every path of every node is its own I_T nexus."""


@dataclass
class Lun:
    """One LUN. `registered` maps nexus to key; the holder is a nexus, as in the standard."""

    name: str
    registered: dict[Nexus, int] = field(default_factory=dict)
    holder: Nexus | None = None
    generation: int = 0
    notes: Note | None = None
    note_at: float = 0.0
    beats: dict[int, Beat] = field(default_factory=dict)

    @property
    def holder_key(self) -> int | None:
        return self.registered[self.holder] if self.holder is not None else None

    def may_write(self, nexus: Nexus) -> bool:
        """Write Exclusive - Registrants Only: without a reservation everybody may write."""
        return self.holder is None or nexus in self.registered

    def register(self, nexus: Nexus, reservation_key: int, key: int) -> bool:
        """REGISTER: False is RESERVATION CONFLICT. Key 0 unregisters; the holder's last word drops the reservation."""
        current = self.registered.get(nexus)
        if (current or 0) != reservation_key:
            return False
        self.generation += 1
        if key:
            self.registered[nexus] = key
        elif current is not None:
            del self.registered[nexus]
            if self.holder == nexus:
                self.holder = None
        return True

    def reserve(self, nexus: Nexus) -> bool:
        """RESERVE type 5: only a registrant, only when nobody else holds it."""
        if nexus not in self.registered:
            return False
        if self.holder is None:
            self.holder = nexus
        return self.holder == nexus

    def preempt(self, nexus: Nexus, victim: int) -> bool:
        """PREEMPT AND ABORT: removes every registration with the victim's key; takes the reservation from a holder."""
        if nexus not in self.registered or victim not in self.registered.values():
            return False
        takes = self.holder_key == victim
        self.registered = {n: k for n, k in self.registered.items() if k != victim or n == nexus}
        self.generation += 1
        if takes:
            self.holder = nexus
        return True

    def clear(self) -> None:
        """CLEAR by hand, or a restart of an array that keeps nothing."""
        self.registered.clear()
        self.holder = None


@dataclass
class Array:
    """Lock LUN and data LUNs of one package; `up` is False while it restarts."""

    lock: Lun = field(default_factory=lambda: Lun("lock"))
    data: list[Lun] = field(default_factory=lambda: [Lun("data0"), Lun("data1")])
    up: bool = True

    @property
    def luns(self) -> list[Lun]:
        return [self.lock, *self.data]

    def restart(self, aptpl: bool) -> None:
        for lun in self.luns:
            if not aptpl:
                lun.clear()
                lun.generation = 0
