"""What happens when the agent is told to end.

The machine goes down: every package is moved to a node that can serve it. Only the agent ends (an upgrade, a restart):
every package is detached, so that it keeps serving and the other nodes stand off; the next agent attaches it again.
"""

from __future__ import annotations

import signal
import socket
from types import FrameType

from ..children.messages import JobEnd
from ..core.events import Verb
from ..core.state import State
from ..eventlog.writer import WARNING, EventLog
from ..units.manager import system_is_stopping
from .detached_marks import mark_detached
from .loop import Loop
from .node_agent import NodeAgent
from .package_agent import PackageAgent

# Below the unit's TimeoutStopSec, so that the end is ours and not a kill.
LIMIT_SECONDS = 100.0
_QUESTION_SECONDS = 2.0
# The release announcements of a moved package still go out.
_LAST_WORDS_SECONDS = 0.3
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Shutdown:
    """Turns SIGTERM and SIGINT into an orderly end."""

    def __init__(self, loop: Loop, log: EventLog, agent: NodeAgent) -> None:
        self._loop, self._log, self._agent = loop, log, agent
        self._waiting: set[str] = set()
        self._asked = False
        self._stopping = True

    def install(self) -> None:
        """Route the signals through the loop: nothing is decided inside a signal handler."""
        reader, writer = socket.socketpair()
        for end in (reader, writer):
            end.setblocking(False)
        signal.set_wakeup_fd(writer.fileno())
        for number in SIGNALS:
            signal.signal(number, _ignore)
        self._sockets = (reader, writer)
        self._loop.watch(reader.fileno(), self._signalled)
        # Blocked since before the watchdog was armed; one that came meanwhile arrives now.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def _signalled(self) -> None:
        self._sockets[0].recv(64)
        if not self._asked:
            self._asked = True
            self._loop.call_at(self._loop.now + LIMIT_SECONDS, self._end)
            self._agent.ask_child(system_is_stopping, _QUESTION_SECONDS, self._begin)

    def _begin(self, answer: JobEnd) -> None:
        # systemd not answering does not happen in an ordinary restart: taken for a machine that goes down.
        self._stopping = bool(answer.value) if answer.ok else True
        verb = Verb.MOVE if self._stopping else Verb.DETACH
        reason = "the machine goes down" if self._stopping else "only the agent"
        self._log.write("agent is ending", reason=reason, verb=verb)
        owned = [agent for agent in self._agent.packages.values() if agent.state.state is State.OWNER]
        self._waiting = {agent.package.name for agent in owned}
        for agent in owned:
            self._give(agent, verb)
        if not self._waiting:
            self._end_soon()

    def _give(self, agent: PackageAgent, verb: Verb) -> None:
        name = agent.package.name

        def answered(ok: bool, reason: str) -> None:
            if not ok:
                self._log.write("not handed over", package=name, level=WARNING, reason=reason)
            elif verb is Verb.DETACH:
                mark_detached(name)
            self._waiting.discard(name)
            if not self._waiting:
                self._end_soon()

        self._agent.command(agent, verb, answered)

    def _end_soon(self) -> None:
        self._loop.call_at(self._loop.now + _LAST_WORDS_SECONDS, self._end)

    def _end(self) -> None:
        self._agent.stop(self._stopping)
        self._log.write("agent ended")
        self._loop.stop()


def _ignore(number: int, frame: FrameType | None) -> None:
    """The signal has reached the loop through the wake-up descriptor already."""
