"""What the owner says to the poolers of one package: that it serves, again and again; and, before a move, to pause.

A pooler that does not answer is asked again and never waited for: nothing here can delay a start, a stop or a takeover.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..children.messages import JobEnd
from ..children.pool import Pool
from ..config import PackageDefinition, Pooler
from ..eventlog.writer import INFO, WARNING
from ..pooler.asking import ask_until_agreed
from ..pooler.message import PAUSE, SERVE, Question, derive_key
from .loop import Timer
from .ports import Ports

# Longer than a gate waits for the address (pooler.gate.ANSWER_SECONDS).
_SERVE_SECONDS = 5.0
# The first minute after a takeover matters most; later it only finds poolers that came back.
_SOON_SECONDS, _LATER_SECONDS, _PATIENCE_SECONDS = 0.5, 15.0, 60.0
# The child's own end, a little after that of what it does.
_GRACE_SECONDS = 0.5

Paused = Callable[[dict[str, str]], None]


@dataclass
class _Line:
    """One pooler: what it last said, and the timer of the next question."""

    pooler: Pooler
    key: bytes
    ok: bool | None = None
    reason: str = "not asked yet"
    timer: Timer | None = None


@dataclass
class _Round:
    """One pause of all poolers."""

    waiting: set[str]
    done: Paused
    problems: dict[str, str] = field(default_factory=dict)


class PoolerLinks:
    """Tells every pooler of a package about its owner. ``begin`` and ``end`` may be called at any time."""

    def __init__(self, ports: Ports, package: PackageDefinition, pool: Pool, secret: bytes) -> None:
        self._ports, self._package, self._pool = ports, package, pool
        self._lines = {p.host: _Line(p, derive_key(secret, package.name, p.host)) for p in package.poolers}
        self._term: int | None = None
        self._begun = 0.0
        # Counts begins and ends: an answer to a question from before the last one starts no second row of questions.
        self._turn = 0

    def status(self) -> dict[str, dict[str, object]]:
        """By host, whether the pooler knows that this node serves, and its words; empty where this node does not."""
        lines = self._lines.items() if self._term is not None else ()
        return {host: {"ready": bool(line.ok), "reason": line.reason} for host, line in lines}

    def begin(self, term: int) -> None:
        """This node serves under this term: tell all poolers, until ``end``."""
        self.end()
        self._term, self._begun = term, self._ports.loop.now
        for line in self._lines.values():
            line.ok = None
            self._serve(line)

    def end(self) -> None:
        """This node does not serve, or is about to pause: no more of it."""
        self._term = None
        self._turn += 1
        for line in self._lines.values():
            if line.timer is not None:
                line.timer.cancel()

    def pause(self, term: int, done: Paused) -> None:
        """Pause all poolers; ``done`` gets the reasons of those that are not, by host."""
        self.end()
        current = _Round(set(self._lines), done)
        for line in self._lines.values():
            pooler = line.pooler
            question = Question(PAUSE, term, self._ports.loop.now, pooler.pause_seconds, pooler.hold_seconds)
            # The gate itself keeps to pause_seconds; the rest is for the way there and back.
            self._ask(line, question, pooler.pause_seconds + _SERVE_SECONDS, self._collector(current, pooler.host))

    def _collector(self, current: _Round, host: str) -> Callable[[JobEnd], None]:
        def ended(end: JobEnd) -> None:
            current.waiting.discard(host)
            self._log("pooler paused" if end.ok else "pooler not paused", INFO if end.ok else WARNING, pooler=host,
                      reason=end.value or end.error_text)  # fmt: skip
            if not end.ok:
                current.problems[host] = end.error_text
            if not current.waiting:
                current.done(current.problems)

        return ended

    def _serve(self, line: _Line) -> None:
        term, turn = self._term, self._turn
        if term is None:
            return

        def ended(end: JobEnd) -> None:
            if turn != self._turn:
                return
            reason = end.value if end.ok else end.error_text
            if end.ok is not line.ok:
                self._log("pooler serves" if end.ok else "pooler not told", INFO if end.ok else WARNING,
                          pooler=line.pooler.host, reason=reason)  # fmt: skip
            line.ok, line.reason = end.ok, reason
            now = self._ports.loop.now
            wait = _LATER_SECONDS if end.ok or now - self._begun > _PATIENCE_SECONDS else _SOON_SECONDS
            line.timer = self._ports.loop.call_at(now + wait, lambda: self._serve(line))

        self._ask(line, Question(SERVE, term, self._ports.loop.now), _SERVE_SECONDS, ended)

    def _ask(self, line: _Line, question: Question, seconds: float, ended: Callable[[JobEnd], None]) -> None:
        deadline = self._ports.loop.now + seconds
        address = (line.pooler.address, line.pooler.control_port)
        self._pool.submit(ask_until_agreed, (address, line.key, question, deadline), deadline + _GRACE_SECONDS, ended)

    def _log(self, event: str, level: str, **words: object) -> None:
        self._ports.log.write(event, package=self._package.name, level=level, **words)
