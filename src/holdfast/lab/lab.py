"""A lab as a Python object: the same verbs as the command line, for the drill driver, molecule and tests.

    lab = Lab.open("lab")
    node = lab.node("node1")
    node.power_off()
    lab.node("node2").succeed(["systemctl", "is-active", "holdfast-agent"])
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from holdfast.lab.backend import Boot
from holdfast.lab.backend.registry import backend_by_name
from holdfast.lab.client import ask
from holdfast.lab.command import environment
from holdfast.lab.errors import LabError, UsageError
from holdfast.lab.folder import Folder, Record
from holdfast.lab.host import require_host
from holdfast.lab.image.store import ensure_image, find_image, read_recipe
from holdfast.lab.keys import make_keys, write_ssh_config
from holdfast.lab.namespaces import isolated
from holdfast.lab.node import Node
from holdfast.lab.paths import cache_directory, labs_directory
from holdfast.lab.seed import write_seed
from holdfast.lab.topology import NAME, Topology
from holdfast.lab.wait import wait_for

Report = Callable[[str], None]
START_SECONDS = 30.0          # from the supervisor's start to its first answer; measured 0.3 s


class Lab:
    """A lab by its name. It may or may not be up; see `runs`."""

    def __init__(self, name: str) -> None:
        if not NAME.match(name):
            raise UsageError(f"'{name}' can't name a lab: 1 to 15 of a-z, 0-9 and -, the first a letter")
        self.name = name
        self.folder = Folder.of(name)

    @classmethod
    def open(cls, name: str) -> Lab:
        """A lab that is up; LabError when it is not."""
        lab = cls(name)
        lab.folder.read()
        if not lab.runs:
            raise LabError(f"the lab '{name}' is not up; start it with: holdfast lab up --name {name}")
        return lab

    @property
    def record(self) -> Record:
        return self.folder.read()

    @property
    def topology(self) -> Topology:
        return self.record.topology

    @property
    def runs(self) -> bool:
        return self.folder.runs()

    @property
    def ssh_config(self) -> Path:
        return self.folder.ssh_config

    @property
    def nodes(self) -> list[Node]:
        return [Node(self.folder, machine) for machine in self.topology.machines]

    def node(self, name: str) -> Node:
        return Node(self.folder, self.topology.machine(name))

    def status(self) -> dict[str, Any]:
        """State of every node; all "off" when the lab is down."""
        if not self.runs:
            return {machine.name: {"state": "off", "role": machine.role} for machine in self.topology.machines}
        data: dict[str, Any] = ask(self.folder.control, "status")
        return data

    def up(self, topology: Topology, *, backend: str = "uml", fresh: bool = False, report: Report = lambda text: None) -> bool:
        """Build what is missing, boot all nodes and wait for SSH. False when everything was up already."""
        with self._exclusive(report):
            if self.runs:
                self._same_topology(topology)
                self._wait_for_supervisor(lambda: None)
                changed = sum(node.power_on() for node in self.nodes) > 0
            else:
                changed = True
                self._create(topology, backend, fresh, report)
                self._start(report)
            self._wait(report)
            return changed

    def _same_topology(self, topology: Topology) -> None:
        if topology != self.topology:
            raise UsageError(f"the lab '{self.name}' runs with another topology; end it first with: holdfast lab down "
                             f"--delete --name {self.name}")

    def _create(self, topology: Topology, backend: str, fresh: bool, report: Report) -> None:
        if fresh:
            self._delete()
        old = self.record if self.folder.exists else None
        if old and (old.topology != topology or old.backend != backend):
            raise UsageError(f"the lab '{self.name}' exists with another topology or backend; start it anew with --fresh "
                             "(its disks are deleted)")
        recipe = read_recipe(topology.system, topology.release, backend, topology.packages)
        keeps = old is not None and (old.image.directory / "manifest.json").exists()
        require_host(building=not keeps and find_image(recipe) is None, qemu=backend == "qemu",
                     memory_mib=topology.memory_mib, directory=cache_directory())
        if old and not keeps:
            report("the image of this lab's disks is gone: the nodes start with empty disks")
            shutil.rmtree(self.folder.path / "nodes", ignore_errors=True)
        image = old.image if old and keeps else ensure_image(recipe, report)
        self._write_folder(Record(self.name, backend, topology, image))

    def _write_folder(self, record: Record) -> None:
        """Keys, seeds and empty data disks; what is there stays."""
        backend = backend_by_name(record.backend)
        make_keys(self.folder.keys, record.topology)
        for machine in record.topology.machines:
            directory = self.folder.node(machine.name)
            directory.mkdir(parents=True, exist_ok=True)
            boot = Boot(machine, record.image, directory, (), "")
            write_seed(boot.seed, record.topology, boot, backend, self.folder.keys)
            for disk, path in zip(machine.disks, boot.data_disks, strict=True):
                if not path.exists():
                    with path.open("wb") as handle:
                        handle.truncate(disk.size_gib * 1024**3)
        write_ssh_config(self.folder.path, record.topology)
        self.folder.write(record)

    def _start(self, report: Report) -> None:
        report("starting the nodes")
        argv = isolated([sys.executable, "-m", "holdfast.lab.supervisor", str(self.folder.path)], network=True)
        running = self.folder.claim()
        try:
            with self.folder.log.open("w") as log:
                child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                         env=environment(PYTHONPATH=str(Path(__file__).parents[2])), cwd="/",
                                         pass_fds=(running,))
        finally:
            os.close(running)

        def died() -> str | None:
            return None if child.poll() is None else (self.folder.log.read_text().strip() or "no message").splitlines()[-1]

        self._wait_for_supervisor(died)

    def _wait_for_supervisor(self, died: Callable[[], str | None]) -> None:
        """Until it answers: it runs for a moment before it does, and who started it may have been killed in that moment."""
        wait_for("the lab's supervisor starts", lambda: bool(ask(self.folder.control, "status")) or None,
                 timeout_seconds=START_SECONDS, interval_seconds=0.05,
                 stop=lambda: died() or (None if self.runs else "it has ended"))

    def _wait(self, report: Report) -> None:
        waiting = self.nodes
        started = time.monotonic()
        for node in waiting:
            report(f"waiting for {node.name}")
            node.wait_until_up()
        report(f"all nodes answer after {time.monotonic() - started:.1f} s")

    def down(self, *, delete: bool = False, report: Report = lambda text: None) -> bool:
        """Let the nodes write their caches, cut their power, end the lab. False when there was nothing to do."""
        if not self.folder.path.exists():
            return False
        with self._exclusive(report):
            running = self.runs
            if running:
                self._wait_for_supervisor(lambda: None)
                self._sync()
                self._end_connections()
                ask(self.folder.control, "shutdown")
                wait_for(f"the lab '{self.name}' ends", lambda: not self.runs or None, timeout_seconds=10,
                         interval_seconds=0.02)
            if delete:
                self._delete()
            return running or delete

    def _sync(self) -> None:
        """Best effort, all nodes at once: a node that hangs loses what a power cut would lose."""
        status = self.status()
        calls = [subprocess.Popen(node.ssh_command("-o", "ConnectTimeout=1", "timeout", "2", "sync"),
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                 for node in self.nodes if status[node.name]["state"] == "on"]
        deadline = time.monotonic() + 2.0
        for call in calls:
            try:
                call.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                call.kill()
                call.wait()

    def _end_connections(self) -> None:
        """Ansible's connection masters would wait for nodes that are gone."""
        for path in (self.folder.path / "cp").glob("*"):
            subprocess.run(["ssh", "-o", f"ControlPath={path}", "-O", "exit", self.name], capture_output=True, check=False)

    def _delete(self) -> None:
        shutil.rmtree(self.folder.path, ignore_errors=False)
        self.folder.path.mkdir(parents=True)

    @contextmanager
    def _exclusive(self, report: Report) -> Iterator[None]:
        """One `up` or `down` of a lab at a time."""
        locks = labs_directory().parent / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        with (locks / self.name).open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                report("another command changes this lab; waiting for it")
                fcntl.flock(handle, fcntl.LOCK_EX)
            # Only now: whoever held the lock before may have deleted the folder.
            self.folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                yield
            finally:
                self._forget_empty()

    def _forget_empty(self) -> None:
        """A lab that was deleted, or was never made, leaves no folder."""
        if self.folder.path.exists() and not any(self.folder.path.iterdir()):
            self.folder.path.rmdir()


def labs() -> list[Lab]:
    """All labs of this user, by name."""
    directory = labs_directory()
    return [Lab(path.name) for path in sorted(directory.iterdir()) if NAME.match(path.name)] if directory.exists() else []
