"""How long clients are held back, on a file that outlives the gate: a gate that is killed while it holds must not forget."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Hold:
    """One pause: ``until`` is of the monotonic clock of this host, which a restart of the gate does not set back."""

    term: int
    until: float


class HoldFile:
    """Where the hold is kept, in memory: after a boot there is nothing to go on from."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Hold | None:
        """The hold of an earlier gate, None where it left none that can be read."""
        try:
            data = json.loads(self._path.read_text())
            return Hold(int(data["term"]), float(data["until"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, hold: Hold | None) -> None:
        """Remember a hold, or that there is none."""
        if hold is None:
            self._path.unlink(missing_ok=True)
            return
        temporary = self._path.with_suffix(".new")
        temporary.write_text(json.dumps(asdict(hold)))
        temporary.replace(self._path)
