"""What the gate of one pooler does with a question.

What always holds:

1. *Nobody waits for ever.* The end of a hold is written down before PgBouncer is told to pause. When it comes, clients go on,
   whatever became of the nodes, the network or the controller; a gate that is restarted keeps to it.
2. *All or nothing.* A pause that is not complete in time (a transaction is still under way) is taken back and refused.
3. *The latest word counts.* A question of an older ownership, or an older one of the same, is refused: its node or the
   network may have slept.
4. *Only what the gate holds is let go.* A PAUSE that a person gave on the console stays.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from ..errors import HoldfastError
from .hold import Hold, HoldFile
from .message import PAUSE, SERVE, SERVING, STATUS, Answer, Question

# How long one question waits for the address; the owner asks again.
ANSWER_SECONDS = 3.0
Log = Callable[[str], None]


class Pooler(Protocol):
    """What a gate needs of its pooler; see console.Console."""

    def pause(self, deadline: float) -> None: ...

    def resume(self) -> None: ...

    def reconnect(self) -> None: ...


class Gate:
    """Answers questions, from any thread; ``watch`` is to be called several times a second."""

    def __init__(self, pooler: Pooler, file: HoldFile, answers: Callable[[float], bool], log: Log) -> None:
        self._pooler, self._file, self._answers, self._log = pooler, file, answers, log
        self._lock = threading.Lock()
        self._hold = file.read()
        self._latest = (self._hold.term if self._hold else 0, 0.0)
        self._served: int | None = None

    def answer(self, question: Question) -> Answer:
        """Do what is asked for and say what came of it."""
        verbs = {PAUSE: self._pause, SERVE: self._serve, STATUS: self._status}
        if question.verb not in verbs:
            return self._say(False, f"unknown verb {question.verb}")
        with self._lock:
            said = (question.term, question.at)
            if question.verb != STATUS and said < self._latest:
                return self._say(False, f"overtaken: term {self._latest[0]} has spoken since")
            self._latest = max(self._latest, said)
        try:
            return verbs[question.verb](question)
        except (HoldfastError, OSError) as error:
            return self._say(False, str(error))

    def watch(self) -> None:
        """Let clients go when the hold's time is over; tried again at the next call where PgBouncer does not answer."""
        hold = self._hold
        if hold is None or time.monotonic() < hold.until:
            return
        self._log(f"hold of term {hold.term} is over and nobody said that the package is back: clients go on")
        try:
            self._let_go(hold)
        except (HoldfastError, OSError) as error:
            self._log(f"clients could not be let go: {error}")

    def _pause(self, question: Question) -> Answer:
        begun = time.monotonic()
        hold = Hold(question.term, begun + question.hold_seconds)
        with self._lock:
            if self._hold is not None:
                # PgBouncer refuses a PAUSE on top of another one.
                self._pooler.resume()
            self._keep(hold)
        try:
            self._pooler.pause(begun + question.pause_seconds)
        except HoldfastError as error:
            self._let_go(hold)
            return self._say(False, f"not paused within {question.pause_seconds:g} s: {error}")
        if self._hold is not hold:
            return self._say(False, "let go in the meantime")
        return self._say(True, f"paused after {time.monotonic() - begun:.3f} s")

    def _serve(self, question: Question) -> Answer:
        hold, known = self._hold, self._served == question.term
        if known and hold is None:
            return self._say(True, SERVING)
        begun = time.monotonic()
        if not self._answers(begun + ANSWER_SECONDS):
            return self._say(False, "the package's address does not answer")
        if not known:
            self._pooler.reconnect()
        if hold is not None:
            self._let_go(hold)
        self._served = question.term
        return self._say(True, f"serving since {time.monotonic() - begun:.3f} s after the question")

    def _status(self, question: Question) -> Answer:
        hold = self._hold
        if hold is None:
            return self._say(True, f"serving, term {self._served}")
        return self._say(True, f"held for another {hold.until - time.monotonic():.1f} s")

    def _let_go(self, hold: Hold) -> None:
        """End this hold; nothing happens where another one has taken its place."""
        with self._lock:
            if self._hold is hold:
                self._pooler.resume()
                self._keep(None)

    def _keep(self, hold: Hold | None) -> None:
        self._file.write(hold)
        self._hold = hold

    def _say(self, ok: bool, reason: str) -> Answer:
        return Answer(ok, reason, self._hold is not None)
