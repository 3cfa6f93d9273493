"""What a move would do, before it is asked for: the node it would go to, what speaks against it, and its steps in order.

The machine refuses a move by the same checks, so a preview that passes is refused only by what happened since.
"""

from __future__ import annotations

from dataclasses import dataclass

from holdfast_agent.core.rounds import peer_can_serve
from holdfast_agent.core.state import MOUNT, MachineState, Repair, State
from holdfast_agent.core.turn import Turn


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of a move; `detail` says what was found, or why it would be refused."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step of a move: on which node, and what."""

    node: str
    what: str
    """stop RESOURCE, unmount, release, claim, mount, start RESOURCE, address"""


@dataclass(frozen=True, slots=True)
class MovePreview:
    """A move as it would go now; `target` None where no node could take the package."""

    target: str | None
    checks: tuple[Check, ...]
    steps: tuple[PlannedStep, ...]

    @property
    def refusal(self) -> str | None:
        """Why the move would be refused; None when nothing speaks against it."""
        return next((check.detail for check in self.checks if not check.ok), None)


def preview_move(state: MachineState, now: float, target: str | None = None) -> MovePreview:
    """The move to `target`, or to the best node for None, as it would go at `now`. Pure; changes nothing."""
    return plan_move(Turn(state, now), target)


def plan_move(turn: Turn, wanted: str | None) -> MovePreview:
    """As `preview_move`, inside a step of the machine."""
    target = wanted or peer_can_serve(turn)
    checks = [_owned_here(turn), _nothing_under_way(turn), _target_known(turn, target)]
    if checks[-1].ok:
        checks += [_target_heard(turn, target), _target_able(turn, target)]
    return MovePreview(target, tuple(checks), _steps(turn, target) if target is not None else ())


def _owned_here(turn: Turn) -> Check:
    return Check("owned here", turn.s.state is State.OWNER, f"the package is {turn.s.state} here")


def _nothing_under_way(turn: Turn) -> Check:
    busy = bool(turn.s.plan) or turn.s.repair is not Repair.NONE
    return Check("nothing under way", not busy, "busy" if busy else "no start, stop or repair is under way")


def _target_known(turn: Turn, target: str | None) -> Check:
    name = "target"
    if target is None:
        return Check(name, False, "no other node could serve the package")
    if target == turn.s.config.node:
        return Check(name, False, "the package is here already")
    if turn.peer(target) is None:
        return Check(name, False, f"{target} is not a node of this package")
    return Check(name, True, target)


def _target_heard(turn: Turn, target: str | None) -> Check:
    peer = turn.peer(target)
    silent = peer is None or peer.dead or turn.silent(peer, turn.t.silence)
    return Check("target heard", not silent, f"{target} is silent" if silent else f"{target} was just heard")


def _target_able(turn: Turn, target: str | None) -> Check:
    peer = turn.peer(target)
    view = peer.view if peer is not None else None
    able = view is not None and view.can_serve
    found = view.state if view is not None else "unknown"
    return Check("target able", able, f"{target} could{'' if able else ' not'} serve the package ({found})")


def _steps(turn: Turn, target: str) -> tuple[PlannedStep, ...]:
    here, resources = turn.s.config.node, turn.s.config.resources
    down = (*(f"stop {name}" for name in reversed(resources)), "unmount", "release")
    up = ("claim", MOUNT, "address", *(f"start {name}" for name in resources))
    return (*(PlannedStep(here, what) for what in down), *(PlannedStep(target, what) for what in up))
