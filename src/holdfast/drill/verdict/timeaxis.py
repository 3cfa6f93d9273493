"""One time axis for all hosts: the controller's wall clock.

Wall clocks of hosts differ by a measured offset. A drill that moves a host's wall clock makes it useless in between;
for such a host the monotonic clock is used, tied to the wall clock by the last record before the jump.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from holdfast.drill.verdict.history import FaultRecord


@dataclass
class TimeAxis:
    """`offsets`: host to the seconds by which its wall clock is ahead of the controller's; `jumping`: hosts whose wall clock was
    moved; `bases`: of those, by host and boot, the controller's time at which the monotonic clock was 0."""

    offsets: Mapping[str, float]
    jumping: frozenset[str]
    bases: dict[tuple[str, str], float] = field(default_factory=dict)

    @classmethod
    def build(cls, clocks: Mapping[str, Any], faults: Iterable[FaultRecord]) -> TimeAxis:
        """`clocks` is ``{host: {"offset_seconds": host minus controller}}``."""
        offsets = {host: float(entry["offset_seconds"]) for host, entry in clocks.items()}
        return cls(offsets, frozenset(f.host for f in faults if f.kind == "clock_jump"))

    def place(self, host: str, record: Mapping[str, Any]) -> float:
        """The controller's time of a record with ``t_wall`` (seconds or RFC 3339) and ``t_mono``."""
        wall = _seconds(record["t_wall"]) - self.offsets.get(host, 0.0)
        mono = record.get("t_mono")
        if host not in self.jumping or mono is None:
            return wall
        # Every kind of record of a host starts before the fault, so the first one ties the clocks together.
        base = self.bases.setdefault((host, str(record.get("boot_id", ""))), wall - float(mono))
        return base + float(mono)


def _seconds(value: Any) -> float:
    return datetime.fromisoformat(value).timestamp() if isinstance(value, str) else float(value)
