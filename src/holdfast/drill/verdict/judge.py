"""Runs every check. A check that crashes is UNKNOWN and named, and the others still run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from holdfast.drill.verdict.checks import clients, conduct, erp, extra, ownership, traces
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

# Only where users of an ERP took part.
ERP_CHECKS: tuple[Check, ...] = (erp.check_erp_outage, erp.check_erp_orders)

# What is expected because of the fault. Where the fault was not active, that it did not come says nothing about the
# cluster: the answer is not known. Everything else is demanded of a cluster without a fault as well, and stays failed.
BECAUSE_OF_THE_FAULT = ("end_owner", "resets", "steps")


def judge(history: History, checks: Iterable[Check] | None = None) -> Judgement:
    """All answers, in order; by default of every check that this run is subject to."""
    results = [_run(check, history) for check in (checks_of(history) if checks is None else checks)]
    unproven = any(result.name == "faults" and result.verdict is not Verdict.PASS for result in results)
    return Judgement(tuple(_without_fault(result) if unproven else result for result in results))


def _without_fault(result: CheckResult) -> CheckResult:
    if result.name not in BECAUSE_OF_THE_FAULT or result.verdict is not Verdict.FAIL:
        return result
    return replace(result, verdict=Verdict.UNKNOWN, summary=f"{result.summary}; but the fault is not proven to have been active")


def checks_of(history: History) -> tuple[Check, ...]:
    """The standing checks; those that were asked for come right after what the database's clients saw."""
    return (*STANDING_CHECKS[:2], *(ERP_CHECKS if history.run.get("erp") else ()), *asked_for(history), *STANDING_CHECKS[2:])


def asked_for(history: History) -> tuple[Check, ...]:
    """Only where a runbook or the command line asked for them."""
    return (*((extra.check_integrity,) if history.run.get("integrity") else ()),
            *((extra.check_load,) if history.run.get("load") else ()))  # fmt: skip


def _run(check: Check, history: History) -> CheckResult:
    try:
        return check(history)
    except Exception as error:  # a crashed check must not take the others with it, and must not look green
        name = check.__name__.removeprefix("check_")
        return CheckResult(name, name.replace("_", " "), Verdict.UNKNOWN,
                           f"the check crashed: {type(error).__name__}: {error}")  # fmt: skip
