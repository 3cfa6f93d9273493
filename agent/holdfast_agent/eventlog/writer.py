"""The event log: JSON lines on disk, and the same for people on standard error with systemd's level prefixes.

Writing must never hold the agent up or end it. A full disk loses lines, which is counted and said with the next line
that fits; a journal that does not read its socket loses lines, too.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

PATH = Path("/var/log/holdfast/events.jsonl")
# One rotation keeps the disk bounded without a helper program: the file and its predecessor.
MAXIMUM_BYTES = 32 * 1024 * 1024
# A file system writes file sizes before contents: after a power cut some pages at the end may be zero.
_TORN_BYTES = 1024 * 1024
# sd-daemon(3): kernel-style level prefixes that journald understands.
INFO, WARNING, ERROR = "<6>", "<4>", "<3>"


def cut_torn_end(path: Path) -> None:
    """Cut what a power loss left behind the last whole line: zero bytes, or half a line."""
    if not path.exists():
        return
    with path.open("r+b") as stream:
        size = stream.seek(0, os.SEEK_END)
        start = max(0, size - _TORN_BYTES)
        stream.seek(start)
        tail = stream.read()
        kept = tail.rstrip(b"\0")
        if not kept.endswith(b"\n"):
            kept = kept[: kept.rfind(b"\n") + 1]
        if len(kept) < len(tail):
            stream.truncate(start + len(kept))


def never_wait_for_journal() -> None:
    """A write to a journald that hangs would wait for it. Only a socket is changed, which is what systemd connects."""
    try:
        handle = sys.stderr.fileno()
        if stat.S_ISSOCK(os.fstat(handle).st_mode):
            os.set_blocking(handle, False)
    except OSError:
        # No standard error: nothing is written there either.
        return


class EventLog:
    """Appends lines; opened once, reopened on rotation."""

    def __init__(self, node: str, path: Path = PATH) -> None:
        self._node, self._path = node, path
        self._lost = 0
        never_wait_for_journal()
        self._handle = self._open()

    def write(self, event: str, *, package: str | None = None, level: str = INFO, **fields: object) -> None:
        """Write one event with any further fields that are plain data."""
        now = time.time()
        line = {
            "t_mono": round(time.monotonic(), 6),
            "t_wall": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"),
            "node": self._node,
            "package": package,
            "event": event,
            **fields,
        }
        self._to_journal(level, event, package, fields)
        self._to_disk(line)

    def _to_disk(self, line: dict[str, object]) -> None:
        if self._lost:
            line["lost_lines"] = self._lost
        data = json.dumps(line, default=str, separators=(",", ":")).encode() + b"\n"
        try:
            if os.fstat(self._handle).st_size + len(data) > MAXIMUM_BYTES:
                self._rotate()
            os.write(self._handle, data)
            self._lost = 0
        except OSError:
            self._lost += 1

    def _to_journal(self, level: str, event: str, package: str | None, fields: dict[str, object]) -> None:
        details = " ".join(f"{key}={value}" for key, value in fields.items() if value not in (None, ""))
        try:
            os.write(sys.stderr.fileno(), f"{level}{package or '-'} {event} {details}\n".encode())
        except OSError:
            # A journal that does not take a line (stopped, full, hanging) is no reason to stop owning a package.
            return

    def _open(self) -> int:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        cut_torn_end(self._path)
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)

    def _rotate(self) -> None:
        """The old file is closed when the new one is open; one that cannot be opened is tried again with the next line."""
        if self._path.exists():
            self._path.replace(self._path.with_suffix(".jsonl.1"))
        old, self._handle = self._handle, self._open()
        os.close(old)
