"""Health of the running resources of one package: asked on a clock, and at once when a main process ends."""

from __future__ import annotations

import os
from functools import partial

from ..children.messages import JobEnd
from ..children.pool import JobHandle, Pool
from ..config import PackageDefinition, Resource
from ..core.events import ResourceHealth
from ..resources.kinds import check_resource
from ..resources.processes import process_is_alive
from .loop import Timer
from .ports import Ports, Send

# A check costs the database one short-lived connection.
INTERVAL_SECONDS = 1.0
# OCF monitors are shell scripts that start dozens of programs. Their own meta-data suggests an interval of 10 s and more, and
# says how long one may take (oracle 30 s, db2 and SAP 60 s); resources.ocf keeps to that, this bounds what says nothing.
OCF_INTERVAL_SECONDS, OCF_CHECK_SECONDS = 10.0, 60.0
# A database that restarts its own backends (one of them was killed) refuses connections for a moment. It is only
# reported when it still does so after this time; a dead main process is reported at once.
TOLERANCE_SECONDS = 1.5
_RETRY_SECONDS = 0.25


class HealthWatch:
    """Watches one resource from its successful start to its stop."""

    def __init__(self, ports: Ports, pool: Pool, resource: Resource, pid: int | None, check_seconds: float, send: Send) -> None:
        self._ports, self._pool, self._resource, self._send = ports, pool, resource, send
        scripted = resource.type == "ocf"
        self._check_seconds = OCF_CHECK_SECONDS if scripted else check_seconds
        self._interval = OCF_INTERVAL_SECONDS if scripted else INTERVAL_SECONDS
        self._pid = pid
        self._job: JobHandle | None = None
        self._failed_since: float | None = None
        self._handle = self._watch_process(pid)
        self._timer: Timer | None = ports.loop.call_at(ports.loop.now + self._interval, self._check)

    def close(self) -> None:
        """End the watch."""
        if self._timer is not None:
            self._timer.cancel()
        if self._job is not None:
            self._job.abandon()
        self._timer = self._job = None
        self._unwatch_process()

    def _watch_process(self, pid: int | None) -> int | None:
        if pid is None:
            return None
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return None
        self._ports.loop.watch(handle, self._process_ended)
        return handle

    def _unwatch_process(self) -> None:
        if self._handle is not None:
            self._ports.loop.unwatch(self._handle)
            os.close(self._handle)
            self._handle = None

    def _process_ended(self) -> None:
        self._unwatch_process()
        # It may answer again at the next check: in maintenance an administrator restarts it.
        self._failed_since = self._ports.loop.now
        self._report(False, f"main process {self._pid} ended")

    def _check(self) -> None:
        loop = self._ports.loop
        self._timer = None
        deadline = loop.now + self._check_seconds
        self._job = self._pool.submit(check_resource, (self._resource, deadline), deadline + _RETRY_SECONDS, self._checked)

    def _checked(self, end: JobEnd) -> None:
        self._job = None
        now = self._ports.loop.now
        if end.ok:
            if self._failed_since is not None:
                self._report(True, "answers again")
            self._failed_since = None
            self._again(self._interval)
            return
        if self._failed_since is None:
            self._failed_since = now
        dead = self._pid is not None and not process_is_alive(self._pid)
        if dead or now - self._failed_since >= TOLERANCE_SECONDS or end.error_kind == "DeadlineError":
            self._report(False, f"{end.error_kind}: {end.error_text}")
        self._again(_RETRY_SECONDS)

    def _again(self, seconds: float) -> None:
        self._timer = self._ports.loop.call_at(self._ports.loop.now + seconds, self._check)

    def _report(self, healthy: bool, detail: str) -> None:
        self._send(ResourceHealth(self._resource.name, healthy, detail))


class HealthWatches:
    """The watches of one package."""

    def __init__(self, ports: Ports, package: PackageDefinition, check_seconds: float, send: Send) -> None:
        self._new = partial(HealthWatch, ports, Pool(ports.loop, ports.zygote, f"hf-h-{package.name}"))
        self._check_seconds, self._send = check_seconds, send
        self._resources = {resource.name: resource for resource in package.resources}
        self._watches: dict[str, HealthWatch] = {}

    def begin(self, name: str, pid: int | None) -> None:
        """Watch a resource that has just been started or found running."""
        self.end(name)
        self._watches[name] = self._new(self._resources[name], pid, self._check_seconds, self._send)

    def begin_all(self, pids: dict[str, int]) -> None:
        """Watch every resource: the package was found running and has been adopted."""
        for name in self._resources:
            if name not in self._watches:
                self.begin(name, pids.get(name))

    def end(self, name: str) -> None:
        """Stop watching a resource."""
        watch = self._watches.pop(name, None)
        if watch is not None:
            watch.close()

    def end_all(self) -> None:
        """Stop watching."""
        for name in list(self._watches):
            self.end(name)
