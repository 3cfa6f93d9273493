"""Where the time of the last start of a package went, phase by phase, from what the machine went through."""

from __future__ import annotations

from typing import Any

from ..core.state import MachineState, State, Step

# The phases of DESIGN section 7 and the steps of the machine that belong to each.
_PHASES = {
    Step.REGISTER: "arbitrate", Step.WAIT: "arbitrate", Step.STRIKE: "arbitrate", Step.DOUBT: "arbitrate",
    Step.RECHECK: "arbitrate", Step.SWEEP: "arbitrate",
    Step.REGISTER_DATA: "preempt", Step.CHECK_LOCK: "preempt", Step.PREEMPT_DATA: "preempt",
    Step.RESERVE_DATA: "preempt", Step.WRITE_NOTE: "preempt", Step.VERIFY: "preempt",
}  # fmt: skip
_WORK_PHASES = {"activate": "activate", "start": "database"}
_COMING = (State.CHALLENGING, State.STARTING)
_RESTING = (State.STANDBY, State.STOPPED, State.FAILED)


class TakeoverTimeline:
    """Adds up the time per phase from the first suspicion until the package is owned and its address is up."""

    def __init__(self) -> None:
        self._begun: float | None = None
        self._at = 0.0
        self._allowed_at = 0.0
        self._phase = ""
        self._phases: dict[str, float] = {}
        self._cause = ""
        self.last: dict[str, Any] | None = None

    def follow(self, before: MachineState, after: MachineState) -> None:
        """Take in one step of the machine."""
        if before.state in _RESTING and after.state in _COMING and after.step is not Step.ADOPT:
            self._begin(after)
        if self._begun is None:
            return
        self._advance(after.now, _phase_of(after))
        if after.state not in (*_COMING, State.OWNER):
            # Withdrawn, lost or failed: no takeover.
            self._begun = None

    def address_allowed(self, now: float) -> None:
        """The address may be here from now on: the first resource runs, others may still be starting."""
        if self._begun is not None:
            self._allowed_at = now

    def address_up(self, now: float) -> None:
        """The address is here."""
        if self._begun is not None:
            self._phases["address"] = now - self._allowed_at

    def finish(self, now: float) -> dict[str, Any] | None:
        """The package serves: the result, None where nothing was begun."""
        if self._begun is None:
            return None
        self._advance(now, "")
        begun, self._begun = self._begun, None
        phases = {name: round(seconds, 3) for name, seconds in self._phases.items()}
        self.last = {"cause": self._cause, "phases": phases, "total_seconds": round(now - begun, 3)}
        return self.last

    def _begin(self, state: MachineState) -> None:
        challenge = state.challenge
        self._cause = str(challenge.evidence) if challenge is not None else state.reason
        victim = next((peer for peer in state.peers if challenge is not None and peer.node == challenge.node), None)
        # Detection began when the victim was last heard; what was never heard was not detected.
        silent_since = victim.heard_at if victim is not None and victim.heard_ever else state.now
        self._begun, self._at, self._phase = silent_since, state.now, ""
        self._phases = {"detect": max(0.0, state.now - silent_since)}

    def _advance(self, now: float, phase: str) -> None:
        if self._phase:
            self._phases[self._phase] = self._phases.get(self._phase, 0.0) + now - self._at
        self._at, self._phase = now, phase


def _phase_of(state: MachineState) -> str:
    if state.step is Step.RUN:
        return _WORK_PHASES.get(state.plan[0].kind, "") if state.plan else ""
    return _PHASES.get(state.step, "")
