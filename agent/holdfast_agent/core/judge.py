"""The owner's truth table: what one round of observations means for the node that has the package.

Pure and total: every combination of views gives exactly one verdict, the worst finding first. The two traps it is
made for (field notes 6.3): an own key that is gone is *lost* when another key is there, but an *array restart* when
there is no key at all; and a LUN that cannot be read is neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from holdfast_agent.core.events import LunView, Outcome, Problem

WERO = 5
"""Write Exclusive - Registrants Only, the one reservation type Holdfast uses (SPC-4 table of reservation types)."""


class Finding(StrEnum):
    """What a round found, in the order in which it is looked for."""

    LOST = "lost"
    GONE = "gone"
    UNVERIFIED = "unverified"
    EMPTY = "empty"
    UNRESERVED = "unreserved"
    UNREGISTERED_PATH = "unregistered path"
    FOREIGN_DATA = "foreign key on a data LUN"
    FOREIGN_LOCK = "foreign key on the lock LUN"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A finding, its reason for people, and the foreign keys it is about."""

    finding: Finding
    reason: str = ""
    foreign: tuple[int, ...] = ()


def foreign_keys(views: Iterable[LunView], own: int) -> tuple[int, ...]:
    """Every key on these LUNs that is not `own`, holders first, each once."""
    found = [view.holder for view in views if view.holder is not None]
    found += [key for view in views for key in view.keys]
    return tuple(dict.fromkeys(key for key in found if key != own))


def _lost(view: LunView, own: int) -> str | None:
    """A LUN whose keys could not be read has none here; one that is read and hangs for the database has."""
    if own not in view.keys and view.keys:
        return f"own key is gone from {view.lun} and another is there"
    if view.holder is not None and view.holder != own:
        return f"{view.lun} is reserved by another key"
    return None


def _reserved(view: LunView, own: int) -> bool:
    return view.holder == own and view.type == WERO


def judge_round(own: int, lock: LunView, data: tuple[LunView, ...], write: Outcome | None) -> Verdict:
    """Verdict of one round of the owner whose key is `own`."""
    views = (lock, *data)
    if write is Outcome.CONFLICT:
        return Verdict(Finding.LOST, "reservation conflict on the defend write")
    for view in views:
        lost = _lost(view, own)
        if lost:
            return Verdict(Finding.LOST, lost)
    for view in views:
        if view.problem is Problem.NO_PATHS:
            return Verdict(Finding.GONE, f"all paths of {view.lun} are gone")
    if write is Outcome.NO_PATHS:
        return Verdict(Finding.GONE, f"all paths of {lock.lun} are gone for writing")
    for view in views:
        if view.problem is not Problem.NONE:
            return Verdict(Finding.UNVERIFIED, f"{view.lun}: {view.problem}")
    if write is not None and write is not Outcome.OK:
        return Verdict(Finding.UNVERIFIED, f"{lock.lun}: write {write}")
    return _readable(own, lock, data, views)


def _readable(own: int, lock: LunView, data: tuple[LunView, ...], views: tuple[LunView, ...]) -> Verdict:
    """The rest of the table: every LUN could be read and none is lost."""
    empty = [view.lun for view in views if not view.keys]
    if empty:
        return Verdict(Finding.EMPTY, f"no key at all on {', '.join(empty)}: array restart or keys cleared")
    bare = [view.lun for view in views if not _reserved(view, own)]
    if bare:
        return Verdict(Finding.UNRESERVED, f"no type 5 reservation on {', '.join(bare)}")
    partial = [view.lun for view in views if view.paths_registered < view.paths_up]
    if partial:
        return Verdict(Finding.UNREGISTERED_PATH, f"a path of {', '.join(partial)} has no registration")
    foreign = foreign_keys(data, own)
    if foreign:
        return Verdict(Finding.FOREIGN_DATA, "foreign key on a data LUN", foreign)
    foreign = foreign_keys((lock,), own)
    if foreign:
        return Verdict(Finding.FOREIGN_LOCK, "foreign key on the lock LUN", foreign)
    return Verdict(Finding.OWN)
