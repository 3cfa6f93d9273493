"""What a drill recorded of the ERP's users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.drill.verdict.history import Attempt


@dataclass(frozen=True)
class ErpOrder:
    """One sale order that a user placed. `outcome` ok: the ERP told him that it is confirmed."""

    worker: str
    seq: int
    start: float
    end: float
    outcome: str
    total: str = ""
    rows: int = 0
    quantity: float = 0.0
    stage: str = ""
    error: str = ""

    @property
    def name(self) -> str:
        return f"{self.worker}/{self.seq}"


@dataclass(frozen=True)
class FoundOrder:
    """An order as the ERP shows it at the end. Totals are texts of decimal numbers."""

    state: str
    total: str
    rows: int
    lines_total: str
    moved: float
    copies: int


@dataclass(frozen=True)
class ErpFinal:
    """All orders of the run at one moment, by worker and number. `processed_again`: jobs that had been cut off."""

    label: str
    time: float
    orders: Mapping[str, FoundOrder]
    processed_again: int = 0


@dataclass(frozen=True)
class ErpRecord:
    """Calls (as attempts of a writer), orders and final reads."""

    calls: tuple[Attempt, ...] = ()
    orders: tuple[ErpOrder, ...] = ()
    finals: tuple[ErpFinal, ...] = ()
