"""What the driver did, as JSON lines, each on disk before the next thing happens."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

Listener = Callable[[dict[str, Any]], None]


def open_lines(path: Path) -> TextIO:
    """Open for appending whole lines; what a controller was writing when it died is no line and is cut off."""
    if path.exists():
        whole = path.read_bytes()
        if not whole.endswith(b"\n"):
            path.write_bytes(whole[: whole.rfind(b"\n") + 1])
    return path.open("a", encoding="utf-8")


class Journal:
    """Append only. Listeners (the live view) see every entry after it was written."""

    def __init__(self, path: Path) -> None:
        self._file = open_lines(path)
        self._lock = threading.Lock()
        self.listeners: list[Listener] = []

    def write(self, kind: str, **words: Any) -> dict[str, Any]:
        """One entry, on disk when this returns: `kind`, the words, and both clocks (`t_wall`, `t_mono`) in seconds."""
        entry = {"t_wall": time.time(), "t_mono": time.monotonic(), "kind": kind, **words}
        with self._lock:
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        for listener in self.listeners:
            listener(entry)
        return entry

    def close(self) -> None:
        self._file.close()
