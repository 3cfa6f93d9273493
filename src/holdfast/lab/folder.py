"""A lab's folder: what it is (lab.json), its disks and keys, and whether it runs (a lock that its supervisor holds)."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path

from holdfast.lab.backend.registry import BACKENDS
from holdfast.lab.errors import LabError
from holdfast.lab.image.store import Image
from holdfast.lab.paths import labs_directory
from holdfast.lab.topology import Topology, parse_topology, to_data
from holdfast.lab.wait import wait_for

SCHEMA = 1


@dataclass(frozen=True)
class Record:
    """What a lab was made of. It keeps its image as long as its disks live: they are differences against it."""

    name: str
    backend: str
    topology: Topology
    image: Image


class Folder:
    """Paths and records of one lab."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, name: str) -> Folder:
        return cls(labs_directory() / name)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def control(self) -> Path:
        return self.path / "control.sock"

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def ssh_config(self) -> Path:
        return self.path / "ssh_config"

    @property
    def log(self) -> Path:
        return self.path / "supervisor.log"

    @property
    def exists(self) -> bool:
        return (self.path / "lab.json").exists()

    def node(self, name: str) -> Path:
        return self.path / "nodes" / name

    def write(self, record: Record) -> None:
        """lab.json, replaced in one step."""
        data = {"schema": SCHEMA, "name": record.name, "backend": record.backend,
                "image": str(record.image.directory), "topology": to_data(record.topology)}
        temporary = self.path / "lab.json.new"
        temporary.write_text(json.dumps(data, indent=2) + "\n")
        temporary.rename(self.path / "lab.json")

    def read(self) -> Record:
        """LabError when the file is missing, damaged or of another version: the lab must then be made anew."""
        try:
            data = json.loads((self.path / "lab.json").read_text())
            topology, problems = parse_topology(data["topology"], str(self.path / "lab.json"))
            if data["schema"] != SCHEMA or topology is None:
                raise ValueError(problems or f"schema {data['schema']}")
            if data["backend"] not in BACKENDS:
                raise ValueError(f"backend {data['backend']}")
            return Record(data["name"], data["backend"], topology, Image(Path(data["image"])))
        except FileNotFoundError as error:
            raise LabError(f"there is no lab '{self.name}'; make it with: holdfast lab up --name {self.name}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise LabError(f"{self.path / 'lab.json'} can't be read ({error}); remove the lab with: "
                           f"holdfast lab down --delete --name {self.name}") from error

    def claim(self) -> int:
        """Take the lock that says "this lab runs", as a descriptor for all its processes to inherit.

        The kernel frees the lock when the last of them is gone (flock(2)): a lab that runs no longer has no process left.
        """
        lock = os.open(self.path / "running.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

        def take() -> bool | None:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return None       # another supervisor, or `runs` looking for a moment
            return True

        try:
            wait_for(f"the lab '{self.name}' runs already", take, timeout_seconds=1, interval_seconds=0.02)
        except LabError:
            os.close(lock)
            raise
        return lock

    def runs(self) -> bool:
        """Whether the lab has processes: somebody holds the lock of `claim`."""
        try:
            lock = os.open(self.path / "running.lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False
