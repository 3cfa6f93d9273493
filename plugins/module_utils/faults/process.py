# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Processes that die or hang. Found afresh each time, by unit or by the database's own pid file."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
from pathlib import Path

from ..command import run
from ..errors import HoldfastError, WaitTimeoutError
from ..resource import wait_until
from .base import Fault

UNITS = {
    "agent": "holdfast-agent.service",
    "keepalived": "keepalived.service",
    "multipathd": "multipathd.service",
    "iscsid": "iscsid.service",
}
# A backend that serves a client names user, database and the client's address with its port in its title.
CLIENT_BACKEND = re.compile(r"^postgres: .*\(\d+\)")
PROC = Path("/proc")
# A signal works as soon as the process runs again, which in an uninterruptible wait may be never: reported as not active.
GONE_WITHIN_SECONDS = 5


def database_pid_file(package):
    """Where the database of the package writes its process id; MariaDB where the agent tells it to."""
    for resource in package["resources"]:
        if resource["type"] == "postgresql":
            return f"{resource['data_directory']}/postmaster.pid"
        if resource["type"] == "mariadb":
            return f"/run/mysqld/holdfast-{package['name']}-{resource['name']}.pid"
    raise HoldfastError(f"package {package['name']} has no database with a data directory")


def unit_processes(unit):
    """The unit's own processes: those in the control group of its main process.

    Not the unit's whole tree: the agent keeps what it has started in groups beside its own.
    """
    main = run(["systemctl", "show", "--property=MainPID", "--value", unit]).strip()
    return group_processes(Path(f"/proc/{main}/cgroup"))


def group_processes(membership, cgroups=Path("/sys/fs/cgroup")):
    """All processes of the (unified) control group named in a /proc/PID/cgroup file, none where that is gone."""
    try:
        group = membership.read_text().strip().rpartition("::")[2].lstrip("/")
        return sorted(int(line) for line in (cgroups / group / "cgroup.procs").read_text().split())
    except FileNotFoundError:
        return []


def children(pid, proc=PROC):
    """Direct children of a process, of all its threads; any of these may end while they are read."""
    found = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in (proc / str(pid) / "task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found += [int(word) for word in (task / "children").read_text().split()]
    return found


def process_state(pid, proc=PROC):
    """(state letter, start time) of a process, None where it is gone (proc(5), /proc/PID/stat)."""
    try:
        fields = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return (fields[0], fields[19])


class ProcessFault(Fault):
    """What the faults below share: the processes meant by a name."""

    required = ("process",)

    def __init__(self, context):
        super().__init__(context)
        self.needs_package = self.parameters["process"].startswith("database")

    def processes(self, whole):
        """Process ids; I(whole) takes the database's children too. Raises where there is none."""
        name = self.parameters["process"]
        found = unit_processes(UNITS[name]) if name in UNITS else self._database(name, whole)
        if not found:
            raise HoldfastError(f"no process of {name} runs on this node")
        return found

    def _database(self, name, whole):
        try:
            main = int(Path(database_pid_file(self.context.package)).read_text().split()[0])
        except (FileNotFoundError, IndexError):
            return []
        if name == "database_backend":
            return [pid for pid in children(main) if CLIENT_BACKEND.search(title(pid))][:1]
        return [main, *children(main)] if whole else [main]


def title(pid, proc=PROC):
    """Command line of a process, empty where it is gone."""
    try:
        return (proc / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def kill_all(pids):
    """SIGKILL; children of one that was killed may end before their own. ProcessLookupError where none was there."""
    gone = []
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            gone.append(pid)
    if pids and len(gone) == len(pids):
        raise ProcessLookupError(f"no process {', '.join(map(str, gone))}")


class ProcessKill(ProcessFault):
    """SIGKILL, once or in a loop that a transient unit keeps up."""

    optional = (("every_seconds", 0),)

    def loop_unit(self):
        return f"holdfast-fault-{self.context.id}-loop"

    def inject(self):
        self.memory["killed"] = [[pid, (process_state(pid) or ("", ""))[1]] for pid in self.processes(whole=False)]
        if self.parameters["every_seconds"]:
            run(["systemd-run", "--quiet", "--collect", f"--unit={self.loop_unit()}", "/bin/sh", "-c", self.loop()])
        else:
            kill_all([pid for pid, _start in self.memory["killed"]])

    def loop(self):
        """The shell's loop; systemctl finds the processes of a unit, the pid file those of a database."""
        name = self.parameters["process"]
        if name in UNITS:
            kill = f"systemctl kill --kill-whom=main --signal=KILL {UNITS[name]}"
        else:
            kill = f'read pid rest < "{database_pid_file(self.context.package)}" && kill -KILL "$pid"'
        return f"while :; do {kill}; sleep {self.parameters['every_seconds']:g}; done 2>/dev/null"

    def prove(self):
        with contextlib.suppress(WaitTimeoutError):
            wait_until(lambda: (self._gone(), self._words()), GONE_WITHIN_SECONDS)
        return self._gone(), self._words()

    def _gone(self):
        return all((process_state(pid) or ("", ""))[1] != start for pid, start in self.memory["killed"])

    def _words(self):
        pids = ", ".join(str(pid) for pid, _start in self.memory["killed"])
        return f"process {pids} of {self.parameters['process']} {'is gone' if self._gone() else 'is still there'}"

    def heal_commands(self):
        if not self.parameters["every_seconds"]:
            return []
        return [["systemctl", "stop", f"{self.loop_unit()}.service"]]


class ProcessStop(ProcessFault):
    """SIGSTOP to every process; they stay, keep their sockets and do nothing."""

    def remember(self):
        found = {pid: process_state(pid) for pid in self.processes(whole=True)}
        return {"stopped": [[pid, state[1]] for pid, state in found.items() if state]}

    def inject(self):
        for pid, _start in self.memory["stopped"]:
            with contextlib.suppress(ProcessLookupError):  # a child may have ended since
                os.kill(pid, signal.SIGSTOP)

    def prove(self):
        with contextlib.suppress(WaitTimeoutError):
            wait_until(lambda: (self._stands_still(), self._words()), GONE_WITHIN_SECONDS)
        return self._stands_still(), self._words()

    def states(self):
        """State letter of each process; a child that has ended meanwhile does nothing either."""
        found = {pid: (process_state(pid), start) for pid, start in self.memory["stopped"]}
        return {pid: state[0] if state and state[1] == start else "gone" for pid, (state, start) in found.items()}

    def _stands_still(self):
        states = self.states()
        return "T" in states.values() and set(states.values()) <= {"T", "t", "gone"}

    def _words(self):
        return f"states of the processes: {self.states()}"

    def heal_commands(self):
        words = [f"{pid}:{start}" for pid, start in self.memory.get("stopped", [])]
        return [[sys.executable or "/usr/bin/python3", "-c", CONTINUE, *words]] if words else []


# Complete in itself, because a timer runs it alone. Another process that has got the number since is left alone: its start
# time is another one (proc(5), /proc/PID/stat).
CONTINUE = """
import os, signal, sys
for pid, start in (word.split(":") for word in sys.argv[1:]):
    try:
        if open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[19] == start:
            os.kill(int(pid), signal.SIGCONT)
    except OSError:
        pass
"""


class DatabaseBroken(Fault):
    """The server program loses its execute permission, as after a package update that went wrong."""

    needs_package = True

    def program(self):
        for resource in self.context.package["resources"]:
            if resource["type"] == "postgresql":
                return f"/usr/lib/postgresql/{resource['version']}/bin/postgres"
            if resource["type"] == "mariadb":
                return "/usr/sbin/mariadbd"
        raise HoldfastError("the package has no database whose server program is known here")

    def remember(self):
        return {"mode": f"{Path(self.program()).stat().st_mode & 0o7777:o}"}

    def inject(self):
        Path(self.program()).chmod(0o644)

    def prove(self):
        mode = Path(self.program()).stat().st_mode & 0o777
        return not mode & 0o111, f"{self.program()} has mode {mode:o}"

    def heal_commands(self):
        return [["chmod", self.memory.get("mode", "755"), self.program()]]
