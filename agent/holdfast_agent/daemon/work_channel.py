"""The work channel of one package: starts, stops, mounts and kills, one at a time, each in a child with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..children.messages import JobEnd
from ..children.pool import DEADLINE_KIND, JobHandle, Pool
from ..config import PackageDefinition, Resource
from ..core.actions import (
    Activate,
    CheckClean,
    Deactivate,
    KillDatabase,
    StartResource,
    StopResource,
    WorkCommand,
)
from ..core.events import Done, Outcome
from ..eventlog.writer import INFO, WARNING
from ..resources import package_work
from .ports import Ports, Send

# The functions get a deadline a little before the child's own, so that a failure comes with its reason.
_REPORT_SECONDS = 0.2
_CLAIM_SECONDS = 60.0
# Half a second of reading where the page cache has forgotten it; nothing where it has not.
_PREPARE_SECONDS, _PREPARE_EVERY_SECONDS = 60.0, 600.0

Job = tuple[Callable[..., Any], tuple[Any, ...]]


class WorkChannel:
    """One command at a time; a new one ends the child of an abandoned one first."""

    def __init__(self, ports: Ports, package: PackageDefinition, send: Send) -> None:
        self._ports, self._package, self._send = ports, package, send
        self._pool = Pool(ports.loop, ports.zygote, f"hf-w-{package.name}", spare=2)
        self._under_way: JobHandle | None = None
        # Main processes by resource, for whoever watches their health.
        self.pids: dict[str, int] = {}
        self._problems: tuple[str, ...] = ()

    def start(self, command: WorkCommand, ended: Callable[[WorkCommand, bool], None]) -> None:
        """Start a command; ``ended`` is told before the machine is, with whether it succeeded."""
        if self._under_way is not None:
            self._under_way.abandon()
        function, arguments = self._job(command)
        begun = time.monotonic()

        def finish(end: JobEnd) -> None:
            self._under_way = None
            self._remember_pid(command, end)
            self._log_end(command, end, time.monotonic() - begun)
            ended(command, end.ok)
            self._send(Done(command.id, _outcome(end), end.error_text))

        self._under_way = self._pool.submit(function, arguments, command.deadline, finish)

    def inspect(self, deadline: float, found: Callable[[JobEnd], None]) -> None:
        """Ask what of the package is on this node; the value is a tuple of words."""
        self._pool.submit(package_work.remains, (self._package,), deadline, found)

    def claim(self) -> None:
        """Put this node's LVM system id into the volume group, in the background."""
        self._pool.submit(package_work.claim, (self._package,), time.monotonic() + _CLAIM_SECONDS, self._claimed)

    def prepare(self) -> None:
        """Have ready what a takeover needs, again and again: memory forgets what is not used."""
        loop = self._ports.loop
        self._pool.submit(package_work.prepare, (self._package,), loop.now + _PREPARE_SECONDS, self._prepared)
        loop.call_at(loop.now + _PREPARE_EVERY_SECONDS, self.prepare)

    def _prepared(self, end: JobEnd) -> None:
        problems = (end.error_text,) if not end.ok else end.value
        if problems != self._problems:
            self._problems = problems
            self._log("not fit to run the package" if problems else "fit to run the package", WARNING,
                      reason="; ".join(problems))  # fmt: skip

    def _job(self, command: WorkCommand) -> Job:
        limit = command.deadline - _REPORT_SECONDS
        match command:
            case Activate():
                return package_work.activate, (self._package,)
            case StartResource():
                return package_work.start, (self._resource(command.name), limit)
            case StopResource():
                return package_work.stop, (self._resource(command.name), command.fast, limit)
            case Deactivate():
                return package_work.deactivate, (self._package, limit)
            case KillDatabase():
                return package_work.kill, (self._package, limit)
            case CheckClean():
                return package_work.check_clean, (self._package,)

    def _resource(self, name: str) -> Resource:
        return next(resource for resource in self._package.resources if resource.name == name)

    def _remember_pid(self, command: WorkCommand, end: JobEnd) -> None:
        if isinstance(command, StopResource):
            self.pids.pop(command.name, None)
        elif isinstance(command, StartResource) and end.ok and "pid" in end.value:
            self.pids[command.name] = end.value["pid"]

    def _claimed(self, end: JobEnd) -> None:
        if not end.ok:
            self._log("volume group not claimed", WARNING, reason=end.error_text)
        elif end.value:
            self._log("volume group claimed", INFO)

    def _log_end(self, command: WorkCommand, end: JobEnd, seconds: float) -> None:
        fields: dict[str, Any] = {"work": type(command).__name__, "name": getattr(command, "name", ""),
                                  "seconds": round(seconds, 3)}  # fmt: skip
        if end.ok:
            self._log("work done", INFO, **fields)
        else:
            self._log("work failed", WARNING, **fields, kind=end.error_kind, reason=end.error_text, **end.error_details)

    def _log(self, event: str, level: str, **fields: Any) -> None:
        self._ports.log.write(event, package=self._package.name, level=level, **fields)


def _outcome(end: JobEnd) -> Outcome:
    if end.ok:
        return Outcome.OK
    return Outcome.TIMEOUT if end.error_kind == DEADLINE_KIND else Outcome.ERROR
