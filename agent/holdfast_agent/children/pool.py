"""The agent's side of its children: jobs with deadlines, answered by a callback exactly once.

A job that misses its deadline ends its child (SIGKILL to its group). A child that does not even die, because the
kernel holds it in an uninterruptible wait, is abandoned: it can no longer report, and a fresh one takes its place.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..daemon.loop import Loop, Timer
from .messages import Job, JobEnd, receive_message, send_message
from .process import use_real_time
from .zygote import Zygote

Done = Callable[[JobEnd], None]
DEADLINE_KIND = "DeadlineError"
CHILD_GONE_KIND = "ChildGone"
# Below the agent itself (see __main__), above everything ordinary.
CHILD_PRIORITY = 5


@dataclass
class _Child:
    pid: int
    connection: socket.socket
    job: Job | None = None
    done: Done | None = None
    timer: Timer | None = None


class JobHandle:
    """A job under way, by which it can be given up."""

    def __init__(self, pool: Pool, child: _Child, number: int) -> None:
        self._pool, self._child, self._number = pool, child, number

    def abandon(self) -> None:
        """End the job without an answer; nothing happens where it has ended already."""
        self._pool.abandon(self._child, self._number)


class Pool:
    """Children that each do one job at a time; more are forked when all are busy."""

    def __init__(self, loop: Loop, zygote: Zygote, name: str, spare: int = 1, *, real_time: bool = False) -> None:
        self._loop, self._zygote, self._name = loop, zygote, name
        self._real_time = real_time
        self._idle: list[_Child] = []
        self._busy: list[_Child] = []
        self._number = 0
        for _ in range(spare):
            self._idle.append(self._spawn())

    @property
    def busy_count(self) -> int:
        """Number of jobs under way."""
        return len(self._busy)

    def submit(self, function: Callable[..., Any], arguments: tuple[Any, ...], deadline: float, done: Done) -> JobHandle:
        """Start a job; ``done`` gets its end, at the latest at ``deadline`` (monotonic seconds)."""
        child = self._idle.pop() if self._idle else self._spawn()
        self._number += 1
        job = Job(self._number, function, arguments)
        child.job, child.done = job, done
        child.timer = self._loop.call_at(deadline, lambda: self._miss_deadline(child, job))
        self._busy.append(child)
        try:
            send_message(child.connection, job)
        except OSError as error:
            reason = str(error)
            self._loop.call_soon(lambda: self._lose(child, job, reason))
        return JobHandle(self, child, job.number)

    def abandon(self, child: _Child, number: int) -> None:
        """End a job and its child without calling back."""
        if child.job is not None and child.job.number == number:
            self._discard(child)

    def close(self) -> None:
        """End every child."""
        for child in [*self._idle, *self._busy]:
            self._discard(child)

    def _spawn(self) -> _Child:
        pid, connection = self._zygote.spawn(self._name)
        if self._real_time:
            # Best effort like the agent's own: where real-time is not allowed, the agent has said so once already.
            use_real_time(CHILD_PRIORITY, pid)
        child = _Child(pid, connection)
        self._loop.watch(connection.fileno(), lambda: self._receive(child))
        return child

    def _receive(self, child: _Child) -> None:
        job, done = child.job, child.done
        try:
            end: JobEnd = receive_message(child.connection)
        except (EOFError, OSError):
            self._discard(child, kill=False)
            if job is not None and done is not None:
                done(JobEnd(job.number, None, CHILD_GONE_KIND, f"child {child.pid} ended in the middle of a job"))
            return
        if child.timer is not None:
            child.timer.cancel()
        child.job = child.done = child.timer = None
        self._busy.remove(child)
        self._idle.append(child)
        if done is not None:
            done(end)

    def _miss_deadline(self, child: _Child, job: Job) -> None:
        done = child.done
        name = job.function.__name__
        self._discard(child)
        if done is not None:
            done(JobEnd(job.number, None, DEADLINE_KIND, f"{name} did not end in time; child {child.pid} abandoned"))

    def _lose(self, child: _Child, job: Job, reason: str) -> None:
        if child.job is not job:
            return
        done = child.done
        self._discard(child)
        if done is not None:
            done(JobEnd(job.number, None, CHILD_GONE_KIND, reason))

    def _discard(self, child: _Child, *, kill: bool = True) -> None:
        if child.connection.fileno() < 0:
            return
        if child.timer is not None:
            child.timer.cancel()
        self._loop.unwatch(child.connection.fileno())
        child.connection.close()
        child.job = child.done = child.timer = None
        for children in (self._idle, self._busy):
            if child in children:
                children.remove(child)
        if kill:
            _kill_group(child.pid)


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        # Either gone already, or so young that it has not made its own group yet.
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
