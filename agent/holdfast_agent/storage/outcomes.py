"""How errors of paths and maps read as outcomes of the state machine's commands."""

from __future__ import annotations

import errno

from ..core.events import Outcome, Problem
from ..errors import DeadlineError, HoldfastError, PathFailedError, ReservationConflictError
from ..scsi.note import NoteError
from .lanes import ExpiredError

# include/linux/blk_types.h, BLK_STS_RESV_CONFLICT becomes EBADE for whoever wrote to the block device.
_ERRNO_OUTCOMES = {errno.EBADE: Outcome.CONFLICT, errno.ENXIO: Outcome.NO_PATHS, errno.ENODEV: Outcome.NO_PATHS}
_KIND_OUTCOMES: tuple[tuple[type[HoldfastError], Outcome], ...] = (
    (ReservationConflictError, Outcome.CONFLICT),
    (ExpiredError, Outcome.EXPIRED),
    (DeadlineError, Outcome.TIMEOUT),
    (PathFailedError, Outcome.NO_PATHS),
)
# Worst first: what a command over several LUNs or paths reports is its worst part.
_SEVERITY = (
    Outcome.CONFLICT, Outcome.ERROR, Outcome.TIMEOUT, Outcome.NO_PATHS, Outcome.EXPIRED, Outcome.OK,
)  # fmt: skip


def outcome_of(error: HoldfastError) -> Outcome:
    """The outcome that an error means."""
    if isinstance(error, NoteError):
        return _ERRNO_OUTCOMES.get(int(str(error.details.get("errno", 0))), Outcome.ERROR)
    for kind, outcome in _KIND_OUTCOMES:
        if isinstance(error, kind):
            return outcome
    return Outcome.ERROR


def problem_of(error: HoldfastError) -> Problem:
    """Why a LUN could not be read."""
    if isinstance(error, DeadlineError):
        return Problem.TIMEOUT
    if isinstance(error, PathFailedError):
        return Problem.NO_PATHS
    return Problem.ERROR


def worst(outcomes: list[Outcome]) -> Outcome:
    """The worst of several outcomes; nothing done is an error, never a success."""
    return min(outcomes, key=_SEVERITY.index, default=Outcome.ERROR)
