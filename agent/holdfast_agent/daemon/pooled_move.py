"""A planned move with poolers: write out, pause, and only then give the machine its command.

The machine knows nothing of poolers. Before it gets the command everything here can be given up without a trace, and a
takeover that happens meanwhile does not wait for any of it. Whoever owns the package afterwards tells the poolers to go
on: the new owner, or this node where the move was refused or rolled back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..children.messages import JobEnd
from ..children.pool import Pool
from ..config import PackageDefinition
from ..core import actions as act
from ..core.events import Command, Verb
from ..core.machine import step
from ..core.state import MachineState, State
from ..eventlog.writer import INFO
from ..pooler.preparing import write_out
from ..resources.kinds import longest_transaction
from .pooler_links import PoolerLinks
from .ports import Ports

MOVES = (Verb.MOVE, Verb.FAILBACK)
# The checkpoint is an acceleration; a database with more than this to write stops the longer.
_WRITE_OUT_SECONDS, _DESCRIBE_SECONDS = 30.0, 2.0
_GRACE_SECONDS = 0.5
Answer = Callable[[bool, str], None]


class Poolers(Enum):
    """What a move does about poolers that cannot be paused."""

    REQUIRED = "refuse the move"
    WANTED = "move all the same"
    IGNORED = "do not even ask them"


@dataclass(frozen=True)
class Means:
    """What a move works with: children for what may hang, ``give`` hands a command to the machine, ``state`` reads it."""

    ports: Ports
    package: PackageDefinition
    links: PoolerLinks
    pool: Pool
    state: Callable[[], MachineState]
    give: Callable[[Command, Answer], None]


class PooledMoves:
    """The moves of one package, prepared one at a time."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._preparing: _Move | None = None

    def command(self, command: Command, poolers: Poolers, answer: Answer) -> None:
        """Carry out a command of any kind; moves are prepared first."""
        means, busy = self._means, self._preparing is not None
        pooled = command.verb in MOVES and poolers is not Poolers.IGNORED and bool(means.package.poolers)
        # A machine that goes down does not wait for an operator's move; that one is then refused by the state machine.
        if not pooled or (busy and poolers is Poolers.WANTED):
            means.give(command, answer)
            return
        problem = "busy: a move is being prepared" if busy else refusal(means.state(), command, means.ports.loop.now)
        if problem is not None:
            answer(False, problem)
            return
        self._preparing = _Move(means, command, poolers, self._ended(answer))
        self._preparing.begin()

    def _ended(self, answer: Answer) -> Answer:
        def ended(ok: bool, reason: str) -> None:
            self._preparing = None
            state = self._means.state()
            if state.state is State.OWNER:
                self._means.links.begin(state.term)
            answer(ok, reason)

        return ended


class _Move:
    """One move: written out, paused, given; ``ended`` gets the machine's answer or why it was never asked."""

    def __init__(self, means: Means, command: Command, poolers: Poolers, ended: Answer) -> None:
        self._means, self._command, self._poolers, self._ended = means, command, poolers, ended
        self._begun = means.ports.loop.now

    def begin(self) -> None:
        """Write out first, while clients still work."""
        self._ask(write_out, _WRITE_OUT_SECONDS, self._written_out)

    def _written_out(self, end: JobEnd) -> None:
        self._log("written out", ok=end.ok, reason=end.error_text)
        self._begun = self._means.ports.loop.now
        self._means.links.pause(self._means.state().term, self._paused)

    def _paused(self, problems: dict[str, str]) -> None:
        self._log("poolers asked to pause", ok=not problems)
        if problems and self._poolers is Poolers.REQUIRED:
            words = "; ".join(f"pooler {host}: {reason}" for host, reason in sorted(problems.items()))
            self._ask(longest_transaction, _DESCRIBE_SECONDS, lambda end: self._give_up(words, end))
        else:
            self._means.give(self._command, self._ended)

    def _give_up(self, words: str, end: JobEnd) -> None:
        longest = f"; {end.value}" if end.ok and end.value else ""
        self._ended(False, f"not moved: {words}{longest}")

    def _ask(self, function: Callable[..., object], seconds: float, ended: Callable[[JobEnd], None]) -> None:
        deadline = self._means.ports.loop.now + seconds
        self._means.pool.submit(function, (self._means.package.resources, deadline), deadline + _GRACE_SECONDS, ended)

    def _log(self, event: str, **words: object) -> None:
        seconds = round(self._means.ports.loop.now - self._begun, 3)
        self._means.ports.log.write(event, package=self._means.package.name, level=INFO, seconds=seconds, **words)


def add_pooler_checks(answer: dict[str, Any], status: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The answer to a preview with a check for each pooler, from what it last said (PoolerLinks.status)."""
    checks = [{"name": f"pooler {host}", "ok": said["ready"], "detail": said["reason"]} for host, said in sorted(status.items())]
    bad = [f"{check['name']}: {check['detail']}" for check in checks if not check["ok"]]
    preview = {**answer["preview"], "checks": [*answer["preview"]["checks"], *checks]}
    return {**answer, "preview": preview} if not (answer["ok"] and bad) else {"ok": False, "reason": bad[0], "preview": preview}


def refusal(state: MachineState, command: Command, now: float) -> str | None:
    """Why the machine would refuse the command now, None where it would begin: asked without giving it."""
    _, actions = step(state, command, now)
    replies = [action for action in actions if isinstance(action, act.Reply) and action.id == command.id]
    return next((reply.reason for reply in replies if not reply.ok), None)
