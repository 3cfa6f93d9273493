"""A control group per resource, below the agent's own delegated one.

Processes of a resource must outlive the agent (a killed agent does not interrupt clients) and must be killable all at
once, whatever they fork. systemd is not asked: it may be busy at the very moment of a takeover. The unit has
Delegate=yes and KillMode=process, which makes this subtree ours and lets it survive a stop of the agent.
"""

from __future__ import annotations

import os
import re
from operator import not_
from pathlib import Path

from ..errors import ResourceError
from ..waiting import wait_for

_MOUNT = Path("/sys/fs/cgroup")
_AGENT_GROUP = "agent"
_POLL_SECONDS = 0.01


class ControlGroup:
    """The control group of one resource."""

    def __init__(self, package: str, resource: str, base: Path | None = None) -> None:
        self.path = (base or unit_group()) / f"{_safe(package)}.{_safe(resource)}"

    def create(self) -> None:
        """Make sure that the group exists."""
        self.path.mkdir(parents=True, exist_ok=True)

    def enter(self) -> None:
        """Move the calling process (and what it starts from now on) into the group."""
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def processes(self) -> tuple[int, ...]:
        """Every process of the group and of groups below it."""
        found = []
        for directory, _, _ in os.walk(self.path):
            try:
                found += [int(pid) for pid in (Path(directory) / "cgroup.procs").read_text().split()]
            except OSError:
                # The group vanished while walking: it has no process then.
                continue
        return tuple(found)

    def send_kill(self) -> None:
        """Kill every process at once."""
        kill_file = self.path / "cgroup.kill"
        if kill_file.exists():
            kill_file.write_text("1")

    def kill(self, deadline: float) -> None:
        """Kill every process at once and wait until none is left; raises ResourceError where some stay."""
        self.send_kill()
        left = wait_for(self.processes, deadline, _POLL_SECONDS, not_)
        if left:
            raise ResourceError(f"processes of {self.path.name} do not die: {left}")


def unit_group(cgroup_file: Path = Path("/proc/self/cgroup")) -> Path:
    """The control group of the agent's unit, also when asked from the agent's own group inside it."""
    for line in cgroup_file.read_text().splitlines():
        if line.startswith("0::"):
            path = line.removeprefix("0::/")
            return _MOUNT / path.removesuffix(f"/{_AGENT_GROUP}")
    raise ResourceError("this system has no unified control group hierarchy")


def enter_agent_group() -> tuple[int, ...]:
    """Move the agent into a group of its own inside its unit and return the processes an earlier agent left there."""
    group = unit_group() / _AGENT_GROUP
    group.mkdir(exist_ok=True)
    (group / "cgroup.procs").write_text(str(os.getpid()))
    others = (int(pid) for pid in (group / "cgroup.procs").read_text().split())
    return tuple(pid for pid in others if pid != os.getpid())


def package_groups(package: str) -> tuple[ControlGroup, ...]:
    """The groups of every resource of a package that has one."""
    base = unit_group()
    prefix = f"{_safe(package)}."
    names = (entry.name for entry in base.iterdir() if entry.is_dir() and entry.name.startswith(prefix))
    return tuple(ControlGroup(package, name.removeprefix(prefix), base) for name in names)


def _safe(name: str) -> str:
    """Names reach the file system only in harmless characters; the dot parts package from resource."""
    return re.sub(r"[^A-Za-z0-9_@:-]", "_", name)
