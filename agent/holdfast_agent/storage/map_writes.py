"""Direct I/O through the multipath maps, each in its map's own thread: writes to the lock LUN, reads of data LUNs.

Through multipath on purpose: it proves that what the database uses still works, which commands on single paths
do not. With queueing it can hang for as long as all paths are gone; the thread then waits, nobody else does.
"""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial

from ..core.events import Note, Outcome
from ..errors import HoldfastError, PathFailedError
from ..multipath.sysfs import PathDevice
from ..scsi.note import AREA_OFFSET_BYTES, NOTE_SLOTS, SECTOR_BYTES, encode_sector, newest, note_offset
from ..scsi.read import read_bytes
from ..scsi.sgio import SgDevice
from .lanes import first_success, wait_for
from .node_view import HEDGE_SECONDS, SCSI_TIMEOUT_SECONDS, NodeView
from .note_record import note_to_body
from .outcomes import outcome_of
from .targets import Lun, block_bytes


def write_map(
    node: NodeView, lock: Lun, offset: int, sector: bytes, deadline: float, not_after: float = float("inf")
) -> Outcome:
    """Write one sector and say how it ended."""
    if lock.map is None:
        return Outcome.NO_PATHS
    write = partial(node.write_map_sector, lock.map.device, offset, sector)
    try:
        wait_for(node.lanes.lane(lock.map.name).submit(write, deadline, not_after), deadline)
    except HoldfastError as error:
        return _explain(lock, outcome_of(error))
    return Outcome.OK


def start_read(node: NodeView, lun: Lun, deadline: float) -> Future[None] | None:
    """Begin to read a LUN through its map; None where it has none."""
    return None if lun.map is None else node.lanes.lane(lun.map.name).submit(partial(node.read_map, lun.map.device), deadline)


def write_note(node: NodeView, lock: Lun, note: Note, deadline: float, not_after: float) -> Outcome:
    """Write the package's note into the older of its two slots."""
    try:
        sequence = _newest_sequence(node, lock, deadline) + 1
    except HoldfastError as error:
        return outcome_of(error)
    sector = encode_sector(sequence, note_to_body(note))
    return write_map(node, lock, note_offset(sequence % NOTE_SLOTS), sector, deadline, not_after)


def _newest_sequence(node: NodeView, lock: Lun, deadline: float) -> int:
    attempts = [
        partial(node.on_path, lock, path, partial(_read_slots, path), deadline) for path in node.order(lock)
    ]
    if not attempts:
        raise PathFailedError(f"{lock.name} has no usable path")
    found = newest(first_success(attempts, deadline, HEDGE_SECONDS))
    return found[0] if found else 0


def _read_slots(path: PathDevice, device: SgDevice) -> bytes:
    return read_bytes(device, AREA_OFFSET_BYTES, NOTE_SLOTS * SECTOR_BYTES, block_bytes(path), SCSI_TIMEOUT_SECONDS)


def _explain(lock: Lun, outcome: Outcome) -> Outcome:
    """An I/O error while no path is left is the loss of the paths, not a fault of the device."""
    return Outcome.NO_PATHS if outcome is Outcome.ERROR and not lock.live_paths else outcome
