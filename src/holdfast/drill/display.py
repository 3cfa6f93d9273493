"""The drill while it runs: a few lines that are redrawn on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO

from holdfast.drill.conditions import NodeSeen

REDRAW_SECONDS = 0.3
CLEAR_LINE, UP = "\x1b[2K", "\x1b[1A"
UNWATCHED = ("collect", "verdict")      # phases in which the observers end or have ended
MARKS = {"ok": "✓", "failed": "✗", "error": "?", "not_run": "-"}


def describe_entry(entry: Mapping[str, Any], zero: float) -> str | None:
    """One journal entry as a line for people, None for what nobody needs to read."""
    at = f"{entry['t_wall'] - zero:7.1f} s  "
    kind = entry["kind"]
    if kind == "phase" and entry["event"] == "start":
        return f"{at}[{entry['name'].replace('_', ' ')}]"
    if kind == "step" and entry["event"] == "end":
        detail = f": {entry['detail']}" if entry["detail"] else ""
        return f"{at}  {MARKS[entry['outcome']]} {entry['name']}{detail}"
    if kind == "fault":
        return f"{at}  ! {entry['fault'].replace('_', ' ')} at {entry['host']}: {entry['proof']}"
    if kind == "round" and entry["event"] == "start":
        return (f"{at}[round {entry['number']}] {entry['name']}; owner {entry['roles']['owner']}; "
                f"{entry['proven']} of {entry['wanted']} faults done")  # fmt: skip
    if kind in ("lost", "stopped", "paused", "not_injected"):
        return f"{at}  ? {entry.get('what') or entry.get('why')}"
    return None


class PlainDisplay:
    """One line per event. A terminal that is gone (a broken connection, a reader that ended) ends no drill."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self.stream, self.zero = stream, time.time()

    def __call__(self, entry: dict[str, Any]) -> None:
        line = describe_entry(entry, self.zero)
        if line:
            with contextlib.suppress(OSError):
                print(line, file=self.stream, flush=True)

    @contextlib.contextmanager
    def quiet(self) -> Iterator[None]:
        """Somebody is asked something: nothing else is written meanwhile."""
        yield

    def close(self) -> None:
        """Nothing is left on the screen."""


class LiveDisplay(PlainDisplay):
    """The lines above, and below them where everything stands right now."""

    def __init__(self, look: Callable[[], list[str]], stream: TextIO = sys.stdout) -> None:
        super().__init__(stream)
        self.look = look
        self.drawn = 0
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._redraw, name="display", daemon=True)
        self.thread.start()

    def __call__(self, entry: dict[str, Any]) -> None:
        line = describe_entry(entry, self.zero)
        if line:
            with self.lock, contextlib.suppress(OSError):
                self._erase()
                print(line, file=self.stream)
                self._draw()

    def _redraw(self) -> None:
        while not self.stopped.wait(REDRAW_SECONDS):
            with self.lock, contextlib.suppress(OSError):
                self._erase()
                self._draw()

    def _erase(self) -> None:
        self.stream.write((UP + CLEAR_LINE) * self.drawn)
        self.drawn = 0

    @contextlib.contextmanager
    def quiet(self) -> Iterator[None]:
        with self.lock:
            with contextlib.suppress(OSError):
                self._erase()
                self.stream.flush()
            yield

    def _draw(self) -> None:
        width = shutil.get_terminal_size().columns - 1  # a line that wraps would be two lines to erase
        lines = [line if len(line) <= width else f"{line[: width - 1]}…" for line in self.look()]
        self.stream.write("".join(line + "\n" for line in lines))
        self.stream.flush()
        self.drawn = len(lines)

    def close(self) -> None:
        self.stopped.set()
        self.thread.join()
        with self.lock, contextlib.suppress(OSError):
            self._erase()
            self.stream.flush()


@dataclass
class Now:
    """Phase and step that are under way, from the journal; `allowed` is the limit of the outage in words."""

    phase: str = ""
    step: str = ""
    since: float = field(default_factory=time.time)
    allowed: str = ""

    def __call__(self, entry: Mapping[str, Any]) -> None:
        if entry["kind"] == "phase" and entry["event"] == "start":
            self.phase, self.step, self.since = entry["name"].replace("_", " "), "", entry["t_wall"]
        elif entry["kind"] == "step" and entry["event"] == "start":
            self.step, self.since = entry["name"], entry["t_wall"]


def describe_now(package: str, nodes: Mapping[str, NodeSeen], probe: Mapping[str, Any], now: Now) -> list[str]:
    """Where everything stands: the running phase and step, every node, the clients."""
    under_way = ": ".join(word for word in (now.phase, now.step) if word)
    head = ["", f"  {under_way} ({time.time() - now.since:.0f} s)"]
    if now.phase in UNWATCHED:
        return head
    states = "   ".join(f"{n}: {node.state(package) if node.reachable else 'no answer'}" for n, node in nodes.items())
    lines = [*head, f"  {states}"]
    if probe:
        waits = probe.get("waits", {}).values()
        worst = max(waits, default=0.0)
        served = "served" if worst < 1 else f"NO SUCCESS for {worst:.1f} s"
        lines.append(f"  clients: {served}; {probe['ok']} done, {probe['fail'] + probe['indeterminate']} not; "
                     f"longest wait so far {probe.get('longest') or 0:.2f} s"
                     + (f", allowed: {now.allowed}" if now.allowed else ""))  # fmt: skip
    return lines
