"""Turning a READ FULL STATUS reply into the LUN view that the state machine judges. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..core.events import LunView, Problem
from ..scsi.nexus import is_own
from ..scsi.reservation import FullStatus
from .targets import Lun


def build_view(
    lun: Lun, status: FullStatus, own_key: int, initiators: frozenset[str], live_ports: Iterable[int | None]
) -> LunView:
    """View of a LUN that answered; ``live_ports`` are the target ports of this node's usable paths."""
    ports = tuple(live_ports)
    ours = tuple(registrant for registrant in status.registrants if is_own(registrant, initiators))
    holder = status.holder
    return LunView(
        lun=lun.name,
        keys=status.keys,
        holder=holder.key if holder else None,
        type=holder.type if holder and holder.type is not None else 5,
        generation=status.generation,
        paths_up=len(ports),
        paths_registered=_count_registered(ports, {r.target_port for r in ours if r.key == own_key}),
        registered_keys_here=tuple(registrant.key for registrant in ours),
    )


def keys_by_path(
    status: FullStatus, initiators: frozenset[str], ports: Mapping[str, int | None]
) -> dict[str, tuple[int, ...]]:
    """The own keys on each path, by the path's name; ``ports`` are the target ports of the usable paths."""
    ours = [registrant for registrant in status.registrants if is_own(registrant, initiators)]
    return {path: tuple(r.key for r in ours if r.target_port == port) for path, port in ports.items()}


def build_problem(lun: Lun, problem: Problem) -> LunView:
    """View of a LUN that could not be read."""
    return LunView(lun=lun.name, problem=problem, paths_up=len(lun.live_paths), paths_registered=0)


def _count_registered(live_ports: tuple[int | None, ...], registered_ports: set[int]) -> int:
    """How many usable paths carry the own key; a path whose port is unknown counts as registered if any is."""
    known = sum(1 for port in live_ports if port in registered_ports)
    unknown = sum(1 for port in live_ports if port is None) if registered_ports else 0
    return known + unknown
