"""What a storage child keeps between commands: threads, target ports, the open lock LUN; and how it reaches a path."""

from __future__ import annotations

import errno
import mmap
import os
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from ..errors import CheckConditionError, PathFailedError
from ..multipath.sysfs import PathDevice
from ..scsi.inquiry import read_identification, target_port_of, wwid_of
from ..scsi.nexus import PathNexus, own_initiators, session_isid
from ..scsi.note import SECTOR_BYTES, NoteError
from ..scsi.reservation import ReservationPath
from ..scsi.sgio import SgDevice
from .lanes import ExpiredError, Lanes
from .targets import Lun, Topology

Value = TypeVar("Value")
# The kernel aborts a command after this, which can mean a reset that disturbs everybody's I/O: well above the slowest
# storage that is still to be accepted (5 s), and never what the agent itself waits for.
SCSI_TIMEOUT_SECONDS = 10.0
# A healthy path answers in milliseconds; a second path is asked when the first has been silent for this long.
HEDGE_SECONDS = 0.05
# A path that has held its last command for this long is asked last.
STUCK_SECONDS = 0.1


class NodeView:
    """One per storage child; ``open_path`` is replaced by unit tests."""

    def __init__(self, open_path: Callable[[str], SgDevice] = SgDevice) -> None:
        self.lanes = Lanes()
        self._open_path = open_path
        self.topology = Topology()
        self._initiators: frozenset[str] = frozenset()
        self._ports: dict[tuple[str, str], int | None] = {}
        # By LUN and path: the own keys that the last reading showed on that path. For status only.
        self.path_keys: dict[str, dict[str, tuple[int, ...]]] = {}
        self._map_handle: int | None = None
        self._map_device = ""

    def on_path(
        self,
        lun: Lun,
        path: PathDevice,
        work: Callable[[SgDevice], Value],
        deadline: float,
        not_after: float = float("inf"),
    ) -> Future[Value]:
        """Do something on a path in its own thread, after checking that it still leads to this LUN."""

        def run() -> Value:
            try:
                device = self._open_path(path.device)
            except OSError as error:
                raise PathFailedError(f"{path.device}: {error.strerror}") from error
            with device:
                self._identify(device, lun, path)
                if time.monotonic() > not_after:
                    raise ExpiredError("too late to send")
                return work(device)

        return self.lanes.lane(path.name).submit(run, deadline, not_after)

    def reservation(self, device: SgDevice) -> ReservationPath:
        """The reservation commands on an open path."""
        return ReservationPath(device, SCSI_TIMEOUT_SECONDS)

    def nexus_of(self, path: PathDevice) -> PathNexus:
        """How the array tells this path from others; its target port is None until it has been asked."""
        return PathNexus(self._ports.get((path.name, path.address)), session_isid(path.iscsi_session))

    def initiators(self) -> frozenset[str]:
        """This node's initiator names; they change with a configuration change and not while it runs."""
        if not self._initiators:
            self._initiators = own_initiators()
        return self._initiators

    def learn_ports(self, lun: Lun, deadline: float) -> None:
        """Have every usable path that is not known yet identified in the background."""
        for path in lun.live_paths:
            if (path.name, path.address) not in self._ports:
                self.on_path(lun, path, lambda device: None, deadline)

    def order(self, lun: Lun) -> list[PathDevice]:
        """The usable paths, those that are held up by an older command last."""
        return sorted(lun.live_paths, key=lambda path: self.lanes.stuck_seconds(path.name) > STUCK_SECONDS)

    def write_map_sector(self, device: str, offset: int, sector: bytes) -> None:
        """Write one sector through the multipath map, on stable storage when this returns.

        The map stays open for writing in between: closing it would make udev probe the LUN after each beat.
        Raises NoteError; ``details["errno"]`` is EBADE where the array answered RESERVATION CONFLICT.
        """
        try:
            handle = self._open_map(device)
            with mmap.mmap(-1, SECTOR_BYTES) as page:
                page[:] = sector
                written = os.pwritev(handle, [page], offset)
        except OSError as error:
            self.close_map()
            raise NoteError(f"{device}: {error.strerror}", errno=error.errno) from error
        if written != SECTOR_BYTES:
            raise NoteError(f"{device}: {written} of {SECTOR_BYTES} bytes written", errno=errno.EIO)

    def read_map(self, device: str) -> None:
        """Read one page through a multipath map, past the page cache. Raises NoteError where it cannot be read."""
        try:
            handle = os.open(device, os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC)
            try:
                with mmap.mmap(-1, mmap.PAGESIZE) as page:
                    os.preadv(handle, [page], 0)
            finally:
                os.close(handle)
        except OSError as error:
            raise NoteError(f"{device}: {error.strerror}", errno=error.errno) from error

    def close_map(self) -> None:
        """Let go of the lock LUN's map."""
        if self._map_handle is not None:
            os.close(self._map_handle)
            self._map_handle = None

    def _open_map(self, device: str) -> int:
        if self._map_handle is None or self._map_device != device:
            self.close_map()
            self._map_handle = os.open(device, os.O_WRONLY | os.O_DIRECT | os.O_DSYNC | os.O_CLOEXEC)
            self._map_device = device
        return self._map_handle

    def _identify(self, device: SgDevice, lun: Lun, path: PathDevice) -> None:
        """Ask a path once who it is; a device name that now means another LUN must never get a reservation command."""
        if (path.name, path.address) in self._ports:
            return
        try:
            designators = read_identification(device, SCSI_TIMEOUT_SECONDS)
        except CheckConditionError as error:
            raise PathFailedError(f"{path.device} cannot be identified: {error}") from error
        if wwid_of(designators) != lun.wwid:
            raise PathFailedError(f"{path.device} is {wwid_of(designators)}, not {lun.wwid}")
        self._ports[(path.name, path.address)] = target_port_of(designators)
