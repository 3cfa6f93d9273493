"""Runs every check. A check that crashes is UNKNOWN and named, and the others still run."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from holdfast.drill.verdict.checks import clients, conduct, ownership, traces
from holdfast.drill.verdict.history import History
from holdfast.drill.verdict.result import CheckResult, Judgement, Verdict

Check = Callable[[History], CheckResult]

# In the order in which a reader asks.
STANDING_CHECKS: tuple[Check, ...] = (
    clients.check_outage,
    clients.check_acknowledged,
    ownership.check_one_writer,
    ownership.check_writes_refused,
    ownership.check_one_address,
    ownership.check_address_follows,
    ownership.check_end_owner,
    ownership.check_moves,
    ownership.check_resets,
    ownership.check_owner_writes,
    clients.check_client_errors,
    clients.check_reads,
    conduct.check_steps,
    conduct.check_faults,
    conduct.check_healed,
    conduct.check_entrance,
    conduct.check_restored,
    traces.check_state,
    traces.check_log,
    ownership.check_observed,
    conduct.check_evidence,
)


def judge(history: History, checks: Iterable[Check] = STANDING_CHECKS) -> Judgement:
    """All answers, in order."""
    return Judgement(tuple(_run(check, history) for check in checks))


def _run(check: Check, history: History) -> CheckResult:
    try:
        return check(history)
    except Exception as error:  # a crashed check must not take the others with it, and must not look green
        name = check.__name__.removeprefix("check_")
        return CheckResult(name, name.replace("_", " "), Verdict.UNKNOWN,
                           f"the check crashed: {type(error).__name__}: {error}")  # fmt: skip
