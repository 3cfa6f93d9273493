"""The `Observe` command: lock LUN with note and beat, then the defend write, then the data LUNs."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial

from ..core.actions import Observe
from ..core.events import Beat, LunView, Note, Observed, Problem
from ..core.keys import key_node_id, same_cluster
from ..errors import CheckConditionError, HoldfastError
from ..multipath.sysfs import PathDevice
from ..scsi.note import AREA_OFFSET_BYTES, NOTE_SLOTS, SECTOR_BYTES, beat_offset, decode_sector, encode_sector, newest
from ..scsi.read import read_bytes
from ..scsi.reservation import FullStatus
from ..scsi.sgio import SgDevice
from .lanes import first_success, wait_for
from .map_writes import start_read, write_map
from .node_view import HEDGE_SECONDS, SCSI_TIMEOUT_SECONDS, NodeView
from .note_record import beat_from_body, beat_to_body, note_from_body
from .outcomes import problem_of
from .targets import Lun, StorageTargets, block_bytes
from .view import build_problem, build_view, keys_by_path


@dataclass(frozen=True)
class LockReading:
    """What one path said about the lock LUN in one go."""

    status: FullStatus
    note: Note | None
    beat: Beat | None


def observe(node: NodeView, targets: StorageTargets, own_key: int, command: Observe) -> Observed:
    """Carry out one observation; always returns by the command's deadline."""
    lock, *luns = node.topology.find((targets.lock, *targets.data))
    if not command.write and any(lun.map is None for lun in (lock, *luns)):
        # Booting: paths are there before multipath has its maps, and without them nothing could be written or mounted.
        return Observed(command.id, build_problem(lock, Problem.NO_PATHS))
    data = luns if command.data else []
    reads = [start_read(node, lun, command.deadline) for lun in data] if command.write else []
    view, reading = _observe_lock(node, lock, own_key, command.deadline)
    write = None
    if command.write and _may_write(view):
        beat = Beat(own_key, command.counter, command.serving)
        sector = encode_sector(beat.counter, beat_to_body(beat))
        write = write_map(node, lock, beat_offset(targets.node_id), sector, command.deadline)
    return Observed(
        id=command.id,
        lock=view,
        data=_readable(_observe_data(node, data, own_key, command.deadline), reads, command.deadline),
        write=write,
        note=reading.note if reading else None,
        beat=reading.beat if reading else None,
    )


def _may_write(view: LunView) -> bool:
    """Whether the defend write makes sense.

    Through multipath it may take any path. One without registration would answer with a conflict that is no loss of
    ownership; such a view is reported without a write, and the machine repairs the registration first.
    """
    return view.problem is not Problem.NONE or view.paths_registered in (0, view.paths_up)


def _observe_lock(node: NodeView, lock: Lun, own_key: int, deadline: float) -> tuple[LunView, LockReading | None]:
    node.learn_ports(lock, deadline)
    attempts = [
        partial(node.on_path, lock, path, partial(_read_lock, node, path, own_key), deadline)
        for path in node.order(lock)
    ]
    try:
        reading = first_success(attempts, deadline, HEDGE_SECONDS)
    except HoldfastError as error:
        return build_problem(lock, problem_of(error)), None
    return _view(node, lock, reading.status, own_key), reading


def _observe_data(node: NodeView, luns: list[Lun], own_key: int, deadline: float) -> tuple[LunView, ...]:
    """All data LUNs side by side: the first command goes out on every LUN before any answer is waited for."""
    started = [_ask_status(node, lun, deadline) for lun in luns]
    return tuple(_view_data(node, lun, asked, own_key, deadline) for lun, asked in zip(luns, started, strict=True))


def _readable(views: tuple[LunView, ...], reads: list[Future[None] | None], deadline: float) -> tuple[LunView, ...]:
    """The views, with what is wrong with a LUN that answers on its paths and hangs where the database reads it."""
    checked = list(views)
    for number, read in enumerate(reads):
        try:
            if read is not None:
                wait_for(read, deadline)
        except HoldfastError as error:
            if checked[number].problem is Problem.NONE:
                checked[number] = replace(checked[number], problem=problem_of(error))
    return tuple(checked)


def _ask_status(node: NodeView, lun: Lun, deadline: float) -> list[partial[Future[FullStatus]]]:
    """Attempts to read a LUN's status, the first of them already under way."""
    node.learn_ports(lun, deadline)
    attempts = [
        partial(node.on_path, lun, path, partial(read_status, node), deadline) for path in node.order(lun)
    ]
    if attempts:
        under_way = attempts[0]()
        attempts[0] = partial(_same, under_way)
    return attempts


def _same(future: Future[FullStatus]) -> Future[FullStatus]:
    return future


def _view_data(
    node: NodeView, lun: Lun, attempts: list[partial[Future[FullStatus]]], own_key: int, deadline: float
) -> LunView:
    try:
        status = first_success(attempts, deadline, HEDGE_SECONDS)
    except HoldfastError as error:
        return build_problem(lun, problem_of(error))
    return _view(node, lun, status, own_key)


def _view(node: NodeView, lun: Lun, status: FullStatus, own_key: int) -> LunView:
    initiators = node.initiators()
    paths = {path.name: node.nexus_of(path) for path in lun.live_paths}
    node.path_keys[lun.name] = keys_by_path(status, initiators, paths)
    return build_view(lun, status, own_key, initiators, paths.values())


def read_status(node: NodeView, device: SgDevice) -> FullStatus:
    """Keys and holder of the LUN behind an open path."""
    return node.reservation(device).read_full_status()


def _read_lock(node: NodeView, path: PathDevice, own_key: int, device: SgDevice) -> LockReading:
    status = read_status(node, device)
    try:
        note = _read_note(device, path)
        beat = _read_beat(device, path, status, own_key)
    except CheckConditionError:
        # Without a holder the note decides whether the package may be started at all, so this reading says nothing.
        if status.holder is None:
            raise
        # With one the keys decide; a note that cannot be read is "no note" for the machine, which then waits in full.
        return LockReading(status, None, None)
    return LockReading(status, note, beat)


def _read_note(device: SgDevice, path: PathDevice) -> Note | None:
    sectors = read_bytes(
        device, AREA_OFFSET_BYTES, NOTE_SLOTS * SECTOR_BYTES, block_bytes(path), SCSI_TIMEOUT_SECONDS
    )
    found = newest(sectors)
    return note_from_body(found[1]) if found else None


def _read_beat(device: SgDevice, path: PathDevice, status: FullStatus, own_key: int) -> Beat | None:
    """The holder's beat; a holder of another cluster has no sector here."""
    holder = status.holder
    if holder is None or not same_cluster(holder.key, own_key):
        return None
    offset = beat_offset(key_node_id(holder.key))
    decoded = decode_sector(read_bytes(device, offset, SECTOR_BYTES, block_bytes(path), SCSI_TIMEOUT_SECONDS))
    return beat_from_body(decoded[1]) if decoded else None
