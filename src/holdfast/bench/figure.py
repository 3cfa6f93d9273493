"""What a benchmark measures, and how that is shown to people and kept for machines."""

from __future__ import annotations

import math
import os
import platform
import statistics
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ENOUGH_FOR_P95 = 10           # below that it is the maximum


@dataclass(frozen=True)
class Floor:
    """The least that the same work can cost on this machine: what was measured, in the figure's unit."""

    what: str
    value: float


@dataclass(frozen=True)
class Figure:
    """Median of `samples`, in `unit` (smaller is better); `aim` is the most that it should be."""

    name: str
    unit: str
    samples: tuple[float, ...]
    floor: Floor
    aim: float | None = None

    @property
    def value(self) -> float:
        """The median."""
        return statistics.median(self.samples)

    @property
    def p95(self) -> float:
        """The sample that 95 of 100 do not exceed (nearest rank)."""
        return sorted(self.samples)[math.ceil(0.95 * len(self.samples)) - 1]

    @property
    def spread(self) -> str:
        """Least and most; the 95th percentile where there are enough samples for one."""
        if len(self.samples) == 1:
            return ""
        ninety = f", p95 {self.p95:.1f}" if len(self.samples) >= ENOUGH_FOR_P95 else ""
        return f" ({min(self.samples):.1f}-{max(self.samples):.1f}{ninety})"

    @property
    def ratio(self) -> float:
        """How often the floor fits into the value."""
        return self.value / self.floor.value

    @property
    def verdict(self) -> str:
        """Whether the aim is met; empty without one."""
        if self.aim is None:
            return ""
        return "met" if self.value <= self.aim else "missed"

    def data(self) -> dict[str, Any]:
        """The figure as it stands in the JSON, with what is computed from its samples."""
        return {**asdict(self), "value": self.value, "p95": self.p95, "ratio": round(self.ratio, 2),
                "verdict": self.verdict or None}


def machine() -> dict[str, Any]:
    """The machine that the figures were measured on."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    memory = next(int(line.split()[1]) // 1024 for line in lines if line.startswith("MemTotal:"))
    return {"cores": os.cpu_count(), "memory_mib": memory, "kernel": platform.release(), "architecture": platform.machine(),
            "load_before": os.getloadavg()[0]}


def document(name: str, figures: list[Figure], *, quick: bool, host: dict[str, Any]) -> dict[str, Any]:
    """One run of a benchmark for machines; `host` is what `machine` said before it."""
    return {"schema": 1, "benchmark": name, "time": datetime.now(UTC).isoformat(timespec="seconds"), "quick": quick,
            "machine": host, "figures": [figure.data() for figure in figures]}


def table(figures: list[Figure]) -> str:
    """One line a figure, columns as wide as their content."""
    rows = [("FIGURE", "VALUE", "FLOOR", "RATIO", "AIM", "FLOOR IS")]
    for figure in figures:
        aim = f"{figure.aim:g} {figure.unit} {figure.verdict}" if figure.aim is not None else "-"
        rows.append((figure.name, f"{figure.value:.1f} {figure.unit}{figure.spread}", f"{figure.floor.value:.1f} {figure.unit}",
                     f"{figure.ratio:.1f}" if figure.ratio >= 1 else f"{figure.ratio:.2f}", aim, figure.floor.what))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
