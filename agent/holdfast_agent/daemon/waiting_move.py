"""A planned move and the transactions that it throws away: its preview shows the longest one, a limit refuses or waits.

A move ends every connection; what is open is rolled back and has to be done again. Only a person knows what that costs,
so a move has a limit where he gave one and no other, and it ends as soon as nobody waits for its answer any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..children.messages import JobEnd
from ..core.events import Command
from ..eventlog.writer import INFO
from ..resources.kinds import knows_transactions, longest_transaction
from .pooled_move import MOVES, Answer, Means, PooledMoves, Poolers, refusal

# A database that does not answer a query for so long would not end in order either.
_ASK_SECONDS, _GRACE_SECONDS = 2.0, 0.5
_AGAIN_SECONDS = 1.0
_NOBODY_KNOWS = "none of its resources can say who is in a transaction"


@dataclass(frozen=True)
class TransactionLimit:
    """The longest transaction that a move may throw away, and how long it waits for a longer one to end."""

    seconds: float
    wait_seconds: float
    is_wanted: Callable[[], bool]
    """Whether somebody still waits for the answer."""


class WaitingMoves:
    """The moves of one package, each held back until its limit lets it go."""

    def __init__(self, means: Means, moves: PooledMoves) -> None:
        self._means, self._moves = means, moves
        self._is_waiting = False

    def command(self, command: Command, poolers: Poolers, answer: Answer, limit: TransactionLimit | None = None) -> None:
        """Carry out a command of any kind; a move with a limit waits first."""
        if self._is_waiting and command.verb in MOVES and poolers is not Poolers.WANTED:
            answer(False, "busy: a move waits for a transaction to end")
        elif limit is None or command.verb not in MOVES:
            self._moves.command(command, poolers, answer)
        elif not self._can_ask():
            answer(False, f"not moved: {_NOBODY_KNOWS}")
        else:
            self._is_waiting = True
            _Wait(self._means, command, limit, lambda problem: self._ended(problem, command, poolers, answer)).look()

    def ask(self, done: Callable[[JobEnd | None], None]) -> None:
        """Ask for the longest transaction; None where no resource of the package could say."""
        if self._can_ask():
            ask_databases(self._means, done)
        else:
            done(None)

    def _can_ask(self) -> bool:
        return any(knows_transactions(resource) for resource in self._means.package.resources)

    def _ended(self, problem: str | None, command: Command, poolers: Poolers, answer: Answer) -> None:
        self._is_waiting = False
        if problem is None:
            self._moves.command(command, poolers, answer)
        else:
            answer(False, problem)


class _Wait:
    """One move held back; ``ended`` gets None when it may go, or why it does not."""

    def __init__(self, means: Means, command: Command, limit: TransactionLimit, ended: Callable[[str | None], None]) -> None:
        self._means, self._command, self._limit, self._ended = means, command, limit, ended
        self._until = means.ports.loop.now + limit.wait_seconds
        self._told = ""

    def look(self) -> None:
        """Ask the databases, unless the move is pointless by now."""
        problem = refusal(self._means.state(), self._command, self._means.ports.loop.now)
        if not self._limit.is_wanted():
            problem = "not moved: nobody waits for it any more"
        if problem is not None:
            self._ended(problem)
        else:
            ask_databases(self._means, self._seen)

    def _seen(self, end: JobEnd) -> None:
        now = self._means.ports.loop.now
        if not end.ok:
            self._ended(f"not moved: it is not known who is in a transaction: {end.error_text}")
        elif end.value is None or end.value.seconds <= self._limit.seconds:
            self._ended(None)
        elif now >= self._until:
            self._ended(f"not moved: {end.value}, the limit is {self._limit.seconds:g} s")
        else:
            self._tell(end.value.session, str(end.value))
            self._means.ports.loop.call_at(min(now + _AGAIN_SECONDS, self._until), self.look)

    def _tell(self, session: str, words: str) -> None:
        """Once for each session that is waited for."""
        if session != self._told:
            self._told = session
            self._means.ports.log.write("move waits", package=self._means.package.name, level=INFO, reason=words)


def ask_databases(means: Means, done: Callable[[JobEnd], None]) -> None:
    """Ask for the longest transaction in a child: a database that hangs holds nobody else up."""
    deadline = means.ports.loop.now + _ASK_SECONDS
    means.pool.submit(longest_transaction, (means.package.resources, deadline), deadline + _GRACE_SECONDS, done)


def add_transaction_check(answer: dict[str, Any], end: JobEnd | None, limit: TransactionLimit | None) -> dict[str, Any]:
    """The answer to a preview with what `WaitingMoves.ask` found, and whether the limit lets such a move go."""
    if end is None and limit is None:
        return answer
    detail, over = _judge(end, limit)
    waits = limit.wait_seconds if over and limit is not None and end is not None and end.ok else 0.0
    detail += f"; the move would wait for it, up to {waits:g} s" if waits else ""
    check = {"name": "transactions", "ok": not over or waits > 0, "detail": detail}
    preview = {**answer["preview"], "checks": [*answer["preview"]["checks"], check]}
    if check["ok"] or not answer["ok"]:
        return {**answer, "preview": preview}
    return {"ok": False, "reason": detail, "preview": preview}


def _judge(end: JobEnd | None, limit: TransactionLimit | None) -> tuple[str, bool]:
    """What was found in words, and whether it is more than the limit allows; what is not known is more."""
    if end is None:
        return _NOBODY_KNOWS, True
    if not end.ok:
        return f"not known: {end.error_text}", limit is not None
    if end.value is None:
        return "nobody is in one", False
    over = limit is not None and end.value.seconds > limit.seconds
    return f"{end.value}, the limit is {limit.seconds:g} s" if limit is not None and over else str(end.value), over
