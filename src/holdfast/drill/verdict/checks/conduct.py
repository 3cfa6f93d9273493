"""Was the drill what it claims to be: entered in a healthy state, fault really active, every step done, clean end."""

from __future__ import annotations

from holdfast.drill.verdict.history import History, StepRecord
from holdfast.drill.verdict.result import CheckResult, Verdict

ENTRANCE_PHASES = ("reset", "steady_before", "observe")
PHASES_REQUIRED = ("steady_before", "act", "heal", "steady_after", "collect")


def check_entrance(history: History) -> CheckResult:
    """A drill that began on a sick cluster says nothing about a healthy one."""
    return _check_phase(history, "entrance", "Cluster was healthy before", ENTRANCE_PHASES, Verdict.UNKNOWN)


def check_steps(history: History) -> CheckResult:
    """Every step of the act: a deadline that was missed is the cluster's failure, a broken driver is not."""
    return _check_phase(history, "steps", "Every step came out as declared", ("act",), Verdict.FAIL)


def check_restored(history: History) -> CheckResult:
    """The cluster came back to where it was, by its own means, after the heal."""
    return _check_phase(history, "restored", "Cluster was healthy again afterwards", ("steady_after",), Verdict.FAIL)


def _check_phase(history: History, name: str, title: str, phases: tuple[str, ...], when_failed: Verdict) -> CheckResult:
    steps = [step for step in history.steps if step.phase in phases]
    if not steps:
        return CheckResult(name, title, Verdict.UNKNOWN, f"nothing was recorded in the phase {phases[-1]}")
    bad = [step for step in steps if step.outcome != "ok"]
    if not bad:
        return CheckResult(name, title, Verdict.PASS, f"{len(steps)} of {len(steps)} steps")
    failed = any(step.outcome == "failed" for step in bad)
    verdict = when_failed if failed else Verdict.UNKNOWN
    return CheckResult(name, title, verdict, f"{bad[0].name}: {bad[0].detail}", tuple(map(_describe, bad)))


def _describe(step: StepRecord) -> str:
    return f"{step.name}: {step.outcome.replace('_', ' ')}" + (f", {step.detail}" if step.detail else "")


def check_faults(history: History) -> CheckResult:
    """A fault without proof that it was active proves nothing, whatever happened afterwards."""
    name, title = "faults", "Faults were really active"
    declared = int(history.run.get("faults_declared", 0))
    if not declared:
        return CheckResult(name, title, Verdict.PASS, "a planned drill, no fault is injected")
    unproven = [f for f in history.faults if f.active is not True]
    missing = declared - len(history.faults)
    findings = [f"{f.id} at {f.host}: {'was not active' if f.active is False else 'no proof'}; {f.proof}"
                for f in unproven]  # fmt: skip
    findings += [f"{missing} fault(s) were never injected"] if missing > 0 else []
    if findings:
        return CheckResult(name, title, Verdict.UNKNOWN, findings[0], tuple(findings))
    proofs = tuple(f"{f.id} at {f.host}: {f.proof}" for f in history.faults)
    return CheckResult(name, title, Verdict.PASS, f"{len(proofs)} of {declared} proven", proofs)


def check_healed(history: History) -> CheckResult:
    """Nothing that was injected is left behind."""
    name, title = "healed", "Every fault was undone"
    left = [f"{f.id} at {f.host} was never undone" for f in history.faults if f.healed is None]
    if left:
        return CheckResult(name, title, Verdict.FAIL, left[0], tuple(left))
    how = tuple(f"{f.id} at {f.host}: by {f.healed_by}" for f in history.faults)
    return CheckResult(name, title, Verdict.PASS, f"{len(how)} undone" if how else "nothing to undo", how)


def check_evidence(history: History) -> CheckResult:
    """Lost evidence is never a pass: what was lost may be the part that matters."""
    name, title = "evidence", "Evidence is complete"
    recorded = {phase.name for phase in history.phases}
    lost = [*history.lost, *(f"phase {p} was not recorded" for p in PHASES_REQUIRED if p not in recorded)]
    if lost:
        return CheckResult(name, title, Verdict.UNKNOWN, lost[0], tuple(lost))
    return CheckResult(name, title, Verdict.PASS, "nothing is missing")
