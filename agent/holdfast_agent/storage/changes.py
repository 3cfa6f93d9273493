"""The storage commands that change something on the array: register, reserve, preempt, unregister."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, wait
from functools import partial

from ..core.actions import PreemptAndAbort, Register, Reserve, Unregister
from ..core.events import Outcome
from ..errors import HoldfastError, PathFailedError, ReservationConflictError
from ..multipath.sysfs import PathDevice
from ..scsi.nexus import is_own, is_through
from ..scsi.reservation import ReservationPath
from ..scsi.sgio import SgDevice
from .lanes import first_success, wait_for
from .node_view import HEDGE_SECONDS, NodeView
from .observe import read_status
from .outcomes import outcome_of, worst
from .targets import Lun

# Once a path of a LUN has done its part, the others get this much longer (or twice the time that it took): a path that
# died a moment ago and is not known as dead yet must not hold up a takeover.
PATH_GRACE_SECONDS = 0.15


def register(node: NodeView, luns: tuple[Lun, ...], command: Register) -> Outcome:
    """Register the key on every live path of every LUN, all at the same time."""
    work = partial(_register_path, node, command.key, command.replaces)
    return _on_every_path(node, luns, work, command.deadline, command.not_after)


def unregister(node: NodeView, luns: tuple[Lun, ...], command: Unregister) -> Outcome:
    """Take the key back on every live path; a path that does not carry it is done already.

    A session that was logged out and in again has left its old registration behind, which no path can take back. It
    would look like an owner for ever, so the key is preempted by itself first where it is registered too often.
    """
    for count in {len(lun.live_paths) for lun in luns}:
        alike = tuple(lun for lun in luns if len(lun.live_paths) == count)
        # Only a first step: what it cannot do shows when the keys are read again.
        _on_one_path(node, alike, partial(_drop_orphans, node, command.key, count), command.deadline, float("inf"))
    return _on_every_path(node, luns, partial(_unregister_path, node, command.key), command.deadline, float("inf"))


def reserve(node: NodeView, luns: tuple[Lun, ...], command: Reserve) -> Outcome:
    """Reserve each LUN through one path."""
    work = partial(_reserve_path, node, command.key)
    return _on_one_path(node, luns, work, command.deadline, command.not_after)


def preempt_lock(node: NodeView, lock: Lun, command: PreemptAndAbort) -> Outcome:
    """Preempt on the lock LUN through one path, once.

    It is never repeated on another path: if the answer of the first got lost, the repetition would be told that the
    victim is not there, which reads as defeat. An unknown end is reported as a timeout; the machine reads the keys.
    """
    paths = node.order(lock)
    if not paths:
        return Outcome.NO_PATHS
    work = partial(_preempt_path, node, command.key, command.victims)
    try:
        wait_for(node.on_path(lock, paths[0], work, command.deadline, command.not_after), command.deadline)
    except PathFailedError:
        return Outcome.TIMEOUT
    except HoldfastError as error:
        return outcome_of(error)
    _renew(node, (lock,), command)
    return Outcome.OK


def preempt_data(node: NodeView, luns: tuple[Lun, ...], command: PreemptAndAbort) -> Outcome:
    """Preempt on every data LUN at the same time; a LUN that lists none of the victims is done already."""
    work = partial(_preempt_listed, node, command.key, command.victims)
    outcome = _on_one_path(node, luns, work, command.deadline, command.not_after)
    if outcome is Outcome.OK:
        _renew(node, luns, command)
    return outcome


def _renew(node: NodeView, luns: tuple[Lun, ...], command: PreemptAndAbort) -> None:
    """Where keys of an earlier start of this node went, register the paths that hold nothing once more.

    A session whose number changed at a boot is another nexus, and the old one's registration goes only by preemption. LIO
    keeps one mark per initiator and port for all of its sessions (target_core_pr.c, __core_scsi3_free_registration), and
    takes it away with the old registration: the new one stands in every list, and its writes are refused all the same.
    What could not be renewed shows in the look that follows, or as a conflict.
    """
    if not command.renew:
        return
    started = {
        lun.name: [
            node.on_path(lun, path, partial(_renew_path, node, command.key, path), command.deadline, command.not_after)
            for path in node.order(lun)
        ]
        for lun in luns
    }
    begun = time.monotonic()
    for futures in started.values():
        _finish_every(futures, begun, command.deadline)


def _renew_path(node: NodeView, key: int, path: PathDevice, device: SgDevice) -> None:
    holder = read_status(node, device).holder
    if holder is not None and is_own(holder, node.initiators()) and is_through(holder, node.nexus_of(path)):
        return  # to unregister it would end the reservation, and a holder's writes are let through
    _unregister_path(node, key, device)
    node.reservation(device).register(0, key)


def _register_path(node: NodeView, key: int, replaces: tuple[int, ...], device: SgDevice) -> None:
    path = node.reservation(device)
    for present in (0, key, *replaces):
        try:
            path.register(present, key)
        except ReservationConflictError:
            continue
        return
    raise ReservationConflictError("the path carries a key that is not ours to replace")


def _drop_orphans(node: NodeView, key: int, live_paths: int, device: SgDevice) -> None:
    if read_status(node, device).keys.count(key) > live_paths:
        node.reservation(device).preempt_and_abort(key, key)


def _unregister_path(node: NodeView, key: int, device: SgDevice) -> None:
    try:
        node.reservation(device).unregister(key)
    except ReservationConflictError:
        # This nexus does not carry the key: exactly what was wanted.
        return


def _reserve_path(node: NodeView, key: int, device: SgDevice) -> None:
    path = node.reservation(device)
    try:
        path.reserve(key)
    except ReservationConflictError:
        if path.read_reservation().key != key:
            raise


def _preempt_path(node: NodeView, key: int, victims: tuple[int, ...], device: SgDevice) -> None:
    _preempt_each(node.reservation(device), key, victims)


def _preempt_listed(node: NodeView, key: int, victims: tuple[int, ...], device: SgDevice) -> None:
    listed = read_status(node, device).keys
    _preempt_each(node.reservation(device), key, tuple(victim for victim in victims if victim in listed))


def _preempt_each(path: ReservationPath, key: int, victims: tuple[int, ...]) -> None:
    for victim in victims:
        path.preempt_and_abort(key, victim)


def _on_one_path(
    node: NodeView, luns: tuple[Lun, ...], work: partial[None], deadline: float, not_after: float
) -> Outcome:
    """Do something once per LUN, on all LUNs side by side; a path that fails is replaced by the LUN's next one."""
    plans = []
    for lun in luns:
        attempts = [partial(node.on_path, lun, path, work, deadline, not_after) for path in node.order(lun)]
        under_way = [attempts[0]()] if attempts else []
        plans.append((under_way, attempts[1:]))
    return worst([_finish_one(under_way, others, deadline) for under_way, others in plans])


def _finish_one(under_way: list[Future[None]], others: list[partial[Future[None]]], deadline: float) -> Outcome:
    if not under_way:
        return Outcome.NO_PATHS
    attempts: list[Callable[[], Future[None]]] = [lambda: under_way[0], *others]
    try:
        # No hedge: two paths doing the same change would see each other's half.
        first_success(attempts, deadline, max(HEDGE_SECONDS, deadline - time.monotonic()))
    except HoldfastError as error:
        return outcome_of(error)
    return Outcome.OK


def _on_every_path(
    node: NodeView, luns: tuple[Lun, ...], work: partial[None], deadline: float, not_after: float
) -> Outcome:
    """Do something on every live path of every LUN; each LUN needs at least one path that did it."""
    begun = time.monotonic()
    started = {
        lun.name: [node.on_path(lun, path, work, deadline, not_after) for path in node.order(lun)] for lun in luns
    }
    return worst([_finish_every(futures, begun, deadline) for futures in started.values()])


def _finish_every(futures: list[Future[None]], begun: float, deadline: float) -> Outcome:
    if not futures:
        return Outcome.NO_PATHS
    _wait_with_grace(futures, begun, deadline)
    for future in futures:
        # A path that is only reached later must not be changed by a command that was given up.
        future.cancel()
    outcomes = [_outcome(future) for future in futures]
    # A path that does not answer is not live; any other refusal counts even if one path agreed.
    answered: list[Outcome] = [outcome for outcome in outcomes if outcome not in (Outcome.NO_PATHS, Outcome.TIMEOUT)]
    return worst(answered or outcomes)


def _wait_with_grace(futures: list[Future[None]], begun: float, deadline: float) -> None:
    """Wait for all; as soon as one has succeeded, only as long as the grace lasts."""
    pending = set(futures)
    while pending and time.monotonic() < deadline:
        done, pending = wait(pending, max(0.0, deadline - time.monotonic()), FIRST_COMPLETED)
        if any(_outcome(future) is Outcome.OK for future in done):
            grace = max(PATH_GRACE_SECONDS, 2 * (time.monotonic() - begun))
            wait(pending, min(grace, max(0.0, deadline - time.monotonic())), ALL_COMPLETED)
            return


def _outcome(future: Future[None]) -> Outcome:
    if not future.done() or future.cancelled():
        return Outcome.TIMEOUT
    error = future.exception()
    if error is None:
        return Outcome.OK
    if isinstance(error, HoldfastError):
        return outcome_of(error)
    raise error
