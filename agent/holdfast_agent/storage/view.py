"""Turning a READ FULL STATUS reply into the LUN view that the state machine judges. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..core.events import LunView, Problem
from ..scsi.nexus import PathNexus, is_own, is_through
from ..scsi.reservation import FullStatus, Registrant
from .targets import Lun


def build_view(
    lun: Lun, status: FullStatus, own_key: int, initiators: frozenset[str], live_paths: Iterable[PathNexus]
) -> LunView:
    """View of a LUN that answered; ``live_paths`` are this node's usable paths."""
    paths = tuple(live_paths)
    ours = tuple(registrant for registrant in status.registrants if is_own(registrant, initiators))
    holder = status.holder
    return LunView(
        lun=lun.name,
        keys=status.keys,
        holder=holder.key if holder else None,
        type=holder.type if holder and holder.type is not None else 5,
        generation=status.generation,
        paths_up=len(paths),
        paths_registered=_count_registered(paths, [registrant for registrant in ours if registrant.key == own_key]),
        registered_keys_here=tuple(registrant.key for registrant in ours),
    )


def keys_by_path(
    status: FullStatus, initiators: frozenset[str], paths: Mapping[str, PathNexus]
) -> dict[str, tuple[int, ...]]:
    """The own keys on each path, by the path's name."""
    ours = [registrant for registrant in status.registrants if is_own(registrant, initiators)]
    return {name: tuple(r.key for r in ours if is_through(r, nexus)) for name, nexus in paths.items()}


def build_problem(lun: Lun, problem: Problem) -> LunView:
    """View of a LUN that could not be read."""
    return LunView(lun=lun.name, problem=problem, paths_up=len(lun.live_paths), paths_registered=0)


def _count_registered(paths: tuple[PathNexus, ...], own: list[Registrant]) -> int:
    """How many usable paths carry the own key; a path whose port is unknown counts as registered if any is."""
    return sum(bool(own) if path.target_port is None else any(is_through(r, path) for r in own) for path in paths)
