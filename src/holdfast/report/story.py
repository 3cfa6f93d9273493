"""The words and numbers of the page. A manager reads the headline, an engineer everything below it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from holdfast.drill.runbook.faults import load_fault_kinds
from holdfast.drill.verdict.checks.clients import observed_until, outage_limit
from holdfast.drill.verdict.checks.ownership import owners_over_time
from holdfast.drill.verdict.history import History, LogLine
from holdfast.drill.verdict.outage import Gap, longest_gaps
from holdfast.drill.verdict.result import BADNESS, Judgement, Verdict

PHASE_WORDS = {
    "detect": "notice",
    "arbitrate": "decide who owns",
    "preempt": "take the disks",
    "activate": "activate and mount",
    "database": "recover the database",
    "address": "move the address",
}
# What a failed check means, for the headline.
FAILED = {
    "outage": "Clients were without service for too long",
    "acknowledged": "Confirmed transactions are missing or wrong",
    "erp_outage": "The ERP's users waited too long",
    "erp_orders": "Confirmed orders of the ERP are missing or wrong",
    "integrity": "The database's data is damaged",
    "one_writer": "Two nodes could write to the same data",
    "writes_refused": "A node that had lost the package could still write",
    "one_address": "Two nodes answered for the same address",
    "address_follows": "The address was on a node without the data",
    "end_owner": "The wrong node owned the package in the end",
    "moves": "The package moved without need",
    "resets": "The wrong nodes restarted",
    "owner_paths": "A storage path of the owner does not take writes",
    "client_errors": "Clients saw errors",
    "reads": "Clients read outdated data",
    "steps": "The cluster did not do what was expected",
    "healed": "A fault is still in place",
    "restored": "The cluster did not come back by itself",
    "state": "The cluster is not as it was before",
    "log_scan": "There are alarming lines in the logs",
}
# What an unanswered check means, where the title alone would read as an assertion.
UNSURE = {
    "faults": "The fault is not proven to have been active",
    "evidence": "Evidence is missing",
    "observed": "A node was not watched all the time",
    "entrance": "The cluster was not healthy before",
    "outage": "The outage could not be measured",
    "acknowledged": "Whether anything was lost is not known",
    "erp_outage": "What the ERP's users noticed is not known",
    "erp_orders": "Whether an order was lost is not known",
    "integrity": "Whether the data is damaged is not known",
    "load": "The background load was not there",
    "writes_refused": "Nobody tried whether the array refuses the wrong node",
    "one_address": "Who answered for the address is not known",
    "log_scan": "The logs are incomplete",
    "state": "The state before and after could not be compared",
}
LOG_LINES = 60
LONGEST_CHAIN = 4  # owners in a row that a tile can show


@dataclass(frozen=True)
class Tile:
    """One number of the headline. `share` draws the bar (1 is the limit)."""

    title: str
    value: str
    detail: str
    good: bool | None
    share: float | None = None


@dataclass(frozen=True)
class BudgetPart:
    """One phase of a move: its seconds, and its share of the longest phase in percent, which draws the bar."""

    name: str
    words: str
    seconds: float
    percent: float


@dataclass(frozen=True)
class Budget:
    """The last move as its agent counted it, beside what clients saw of it (None where nothing was measured)."""

    node: str
    cause: str
    parts: tuple[BudgetPart, ...]
    agent_seconds: float
    whole_percent: float
    client_seconds: float | None


def worst_gap(history: History) -> Gap | None:
    """The outage that the verdict was based on."""
    since, until = history.act_start, observed_until(history)
    if since is None or until is None:
        return None
    gaps = [gap for gap in longest_gaps(history.attempts, since, until).values() if gap]
    return max(gaps, key=lambda gap: gap.seconds, default=None)


def headline(history: History, judgement: Judgement) -> str:
    """One sentence that can be read out in a meeting."""
    bad = [check for check in judgement.checks if check.verdict is judgement.verdict]
    if judgement.verdict is Verdict.FAIL:
        more = f" {_more(len(bad) - 1)} below." if len(bad) > 1 else ""
        return f"{FAILED.get(bad[0].name, bad[0].title)}: {bad[0].summary.rstrip('.')}.{more}"
    if judgement.verdict is Verdict.UNKNOWN:
        return f"This run proves nothing either way. {UNSURE.get(bad[0].name, bad[0].title)}: {bad[0].summary}."
    return f"{_outage_words(history)} {_loss_words(history)}"


def _more(count: int) -> str:
    return "One more finding is" if count == 1 else f"{count} more findings are"


def _outage_words(history: History) -> str:
    gap, limit = worst_gap(history), outage_limit(history)
    if gap is None:
        return ""
    if history.expect.outage == "none":
        return f"Clients noticed nothing; the longest wait was {gap.seconds:.2f} s."
    allowed = f"; {limit:g} s are allowed" if limit else ""
    return f"Clients were without service for {gap.seconds:.1f} s{allowed}."


def _loss_words(history: History) -> str:
    count = sum(a.role == "writer" and a.outcome == "ok" for a in history.attempts)
    return f"Not one of {thousands(count)} confirmed transactions was lost."


def thousands(count: int) -> str:
    """12 345, with a space that does not break."""
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def faults_said(history: History) -> list[tuple[str, str]]:
    """What was broken where, and what that means, once for each kind and host."""
    kinds = load_fault_kinds()
    said = {f"{fault.kind.replace('_', ' ')} at {fault.host}": fault.kind for fault in history.faults}
    return [(words, kinds[kind].summary) for words, kind in said.items() if kind in kinds]


def tiles(history: History, judgement: Judgement) -> list[Tile]:
    erp = [_orders_tile(history, judgement)] if history.run.get("erp") else []
    return [_outage_tile(history, judgement), _loss_tile(history, judgement), *erp, single_tile(judgement),
            _owner_tile(history, judgement)]  # fmt: skip


def _good(verdict: Verdict) -> bool | None:
    return {Verdict.PASS: True, Verdict.FAIL: False}.get(verdict)


def _outage_tile(history: History, judgement: Judgement) -> Tile:
    check = judgement.of("outage")
    if check.measured is None:
        return Tile("Longest outage", "not known", check.summary, _good(check.verdict))
    limit = check.limit
    what = "objective" if history.expect.outage in ("switchover", "takeover") else "limit of this drill"
    detail = f"{what} {limit:g} s" if limit is not None else "no limit asked for"
    value = f"{check.measured:.2f} s" if check.measured < 100 else f"{check.measured:.0f} s"
    return Tile("Longest outage", value, detail, _good(check.verdict), check.measured / limit if limit else None)


def _loss_tile(history: History, judgement: Judgement) -> Tile:
    check = judgement.of("acknowledged")
    count = sum(a.role == "writer" and a.outcome == "ok" for a in history.attempts)
    value = "not known" if check.measured is None else f"{check.measured:g}"
    return Tile("Transactions lost", value, f"of {thousands(count)} confirmed", _good(check.verdict))


def _orders_tile(history: History, judgement: Judgement) -> Tile:
    lost, outage = judgement.of("erp_orders"), judgement.of("erp_outage")
    count = sum(order.outcome == "ok" for order in history.erp.orders)
    value = "not known" if lost.measured is None else f"{lost.measured:g}"
    waited = "" if outage.measured is None else f"; longest wait in the ERP {outage.measured:.2f} s"
    verdict = max(lost.verdict, outage.verdict, key=BADNESS.__getitem__)
    return Tile("ERP orders lost", value, f"of {thousands(count)} confirmed{waited}", _good(verdict))


def single_tile(judgement: Judgement) -> Tile:
    """The promise that outranks all others: one node writes, one node has the address, and the array proves it."""
    asked = [judgement.of(name) for name in ("one_writer", "writes_refused", "one_address", "address_follows")]
    worst = max(asked, key=lambda check: BADNESS[check.verdict])
    value = {True: "proven", False: "violated", None: "not proven"}[_good(worst.verdict)]
    detail = asked[1].summary if worst.verdict is Verdict.PASS else worst.summary
    return Tile("One writer, one address", value, detail, _good(worst.verdict))


def _owner_tile(history: History, judgement: Judgement) -> Tile:
    names = [node for _, node in owners_over_time(history)]
    check = judgement.of("end_owner")
    shown = names if len(names) <= LONGEST_CHAIN else [names[0], "…", names[-1]]
    detail = f"{len(names) - 1} changes" if shown is not names else "in the order of time" if len(names) > 1 else "all the time"
    return Tile("Owner", " → ".join(shown) or "nobody", detail, _good(check.verdict))


def budget(history: History) -> Budget | None:
    """Where the time went by the agent's own log, beside what clients saw; the last move that the act caused."""
    if not history.takeovers:
        return None
    takeover = history.takeovers[0]
    gap = worst_gap(history)
    longest = max((*takeover.phases.values(), takeover.total_seconds), default=0.0) or 1.0
    parts = tuple(
        BudgetPart(name, PHASE_WORDS.get(name, name), seconds, 100 * seconds / longest)
        for name, seconds in takeover.phases.items()
    )
    return Budget(
        takeover.node,
        takeover.cause,
        parts,
        takeover.total_seconds,
        100 * takeover.total_seconds / longest,
        gap.seconds if gap else None,
    )


def log_excerpt(history: History) -> list[LogLine]:
    """Lines around the outage: from just before the act until service is back."""
    start, gap = history.act_start, worst_gap(history)
    if start is None:
        return list(history.log[:LOG_LINES])
    end = (gap.end if gap else start) + 5
    return [line for line in sorted(history.log, key=lambda x: x.time) if start - 2 <= line.time <= end][:LOG_LINES]


def when(seconds: float | None) -> str:
    """Date and time in UTC, as people write it."""
    return datetime.fromtimestamp(seconds or 0, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
