"""How long each step of a start or stop took here the last time it went well, for the preview of a move."""

from __future__ import annotations

from typing import Any

from ..core.preview import preview_move
from ..core.state import MOUNT, MachineState, Step, Work

_RELEASE = (Step.RELEASE_NOTE, Step.RELEASE_DATA, Step.RELEASE_LOCK)


class StepDurations:
    """Follows a machine; `last` has seconds by the words of `core.preview.PlannedStep`."""

    def __init__(self) -> None:
        self.last: dict[str, float] = {}
        self._work_begun = 0.0
        self._release_begun = 0.0

    def follow(self, before: MachineState, after: MachineState) -> None:
        """Take in one step of the machine."""
        if before.work is not None and after.work is not before.work and after.plan == before.plan[1:] and before.plan:
            self.last[_words(before.plan[0])] = after.now - self._work_begun
        if after.work is not None and after.work is not before.work:
            self._work_begun = after.now
        if after.step in _RELEASE and before.step not in _RELEASE:
            self._release_begun = after.now
        if before.step in _RELEASE and after.step is Step.IDLE:
            self.last["release"] = after.now - self._release_begun


def _words(work: Work) -> str:
    return {"activate": MOUNT, "deactivate": "unmount"}.get(work.kind, f"{work.kind} {work.name}".strip())


def preview_answer(state: MachineState, now: float, target: str | None, last: dict[str, float]) -> dict[str, Any]:
    """The agent's answer to `move --preview`."""
    preview = preview_move(state, now, target)
    refusal = preview.refusal
    return {
        "ok": refusal is None,
        "reason": refusal or f"would move to {preview.target}",
        "preview": {
            "target": preview.target,
            "checks": [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in preview.checks],
            "steps": [
                {"node": step.node, "what": step.what, "last_seconds": round(last[step.what], 3) if step.what in last else None}
                for step in preview.steps
            ],
        },
    }
