"""What the ERP's users saw: how long they could do nothing, and whether every order that they were promised is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from holdfast.drill.verdict.checks.clients import observed_until
from holdfast.drill.verdict.erp_record import ErpFinal, ErpOrder, FoundOrder
from holdfast.drill.verdict.history import History
from holdfast.drill.verdict.outage import Gap, longest_gaps, resolution
from holdfast.drill.verdict.result import CheckResult, Verdict

READS = {"after_act", "after_restore"}
# States of Tryton's module sale in which an order has its stock moves, and those in which it is promised to nobody.
PROCESSED, OPEN = ("processing", "done"), ("draft", "quotation", "cancelled")


def check_erp_outage(history: History) -> CheckResult:
    """The longest time without an answer of the worst user of each server, against what the database's client saw."""
    name, title = "erp_outage", "Outage as the ERP's users see it"
    since, until = history.act_start, observed_until(history)
    if since is None or until is None or not history.erp.calls:
        return CheckResult(name, title, Verdict.UNKNOWN, "the ERP's probe recorded no calls")
    gaps = longest_gaps(history.erp.calls, since, until)
    servers = {server["name"]: float(server["beyond_database_seconds"]) for server in allowed_servers(history)}
    blind = sorted({*servers, *gaps} - {worker for worker, gap in gaps.items() if gap is not None})
    database = [gap.seconds for gap in longest_gaps(history.attempts, since, until).values() if gap is not None]
    if blind or not database:
        words = f"no success before the fault: {', '.join(blind)}" if blind else "the outage of the database is not known"
        return CheckResult(name, title, Verdict.UNKNOWN, words)
    measured = {worker: gap for worker, gap in gaps.items() if gap is not None}
    return _judge(history, measured, servers, max(database), resolution(history.erp.calls, since))


def allowed_servers(history: History) -> list[Mapping[str, Any]]:
    """The application servers that had users, and how much later than the database each may be back."""
    found: list[Mapping[str, Any]] = (history.run.get("erp") or {}).get("servers", [])
    return found


def _judge(
    history: History, gaps: Mapping[str, Gap], servers: Mapping[str, float], database: float, fine: float | None
) -> CheckResult:
    name, title = "erp_outage", "Outage as the ERP's users see it"
    worst = max(gaps.values(), key=lambda gap: gap.seconds)
    late = [worker for worker, gap in gaps.items() if gap.seconds > database + servers.get(worker, 0.0)]
    gone = [worker for worker, gap in gaps.items() if not gap.recovered and history.expect.owner != "nobody"]
    words = "; ".join(f"{worker} {gap.seconds:.2f} s, {gap.seconds - database:+.2f} s beside the database's {database:.2f} s"
                      for worker, gap in sorted(gaps.items()))  # fmt: skip
    findings = (
        *(f"{gap.worker}: {gap.seconds:.3f} s, from {gap.start - history.zero:+.3f} s to {gap.end - history.zero:+.3f} s; "
          f"allowed {servers.get(gap.worker, 0.0):g} s beyond the database" for gap in gaps.values()),
        *(_first_order(history, worker) for worker in sorted(gaps)),
        f"time between two answers in the quiet time {fine or 0:.3f} s",
    )  # fmt: skip
    if gone:
        words += f"; no success any more until the end: {', '.join(gone)}"
    verdict = Verdict.FAIL if late or gone else Verdict.PASS
    return CheckResult(name, title, verdict, words, findings, worst.seconds, None, "s")


def _first_order(history: History, worker: str) -> str:
    """When a whole new order went through again: placed after the fault and confirmed."""
    ends = [o.end for o in history.erp.orders if o.worker == worker and o.outcome == "ok" and o.start > history.zero]
    return f"{worker}: " + (f"first new order confirmed {min(ends) - history.zero:+.3f} s" if ends else "no new order confirmed")


def check_erp_orders(history: History) -> CheckResult:
    """Every order that a user was told is confirmed is there once, whole, with its stock moves; and no other is confirmed."""
    name, title = "erp_orders", "Every confirmed order is there"
    confirmed = [order for order in history.erp.orders if order.outcome == "ok"]
    reads = history.erp.finals
    if not confirmed or not reads:
        return CheckResult(name, title, Verdict.UNKNOWN, "no final read of orders" if confirmed else "no order was confirmed")
    lost, strange = [], []
    for read in reads:
        lost += [f"{read.label}: {words}" for words in lost_orders(confirmed, read)]
        strange += [f"{read.label}: {words}" for words in strange_orders(history.erp.orders, read)]
    count = len({words.split(": ", 1)[1] for words in lost})
    if lost or strange:
        words = f"{count} of {len(confirmed)} confirmed orders missing or wrong" if lost else strange[0]
        return CheckResult(name, title, Verdict.FAIL, words, tuple([*lost, *strange][:50]), count, 0)
    missing = READS - {read.label for read in reads}
    if missing:
        return CheckResult(name, title, Verdict.UNKNOWN, f"final read missing: {', '.join(sorted(missing))}")
    return CheckResult(name, title, Verdict.PASS, _good_words(history, len(confirmed)), measured=0, limit=0)


def _good_words(history: History, confirmed: int) -> str:
    orders = history.erp.orders
    open_ones = sum(order.outcome == "indeterminate" for order in orders)
    again = sum(read.processed_again for read in history.erp.finals)
    words = f"{len(orders)} placed, {confirmed} confirmed, 0 lost; {open_ones} with unknown outcome"
    return words + (f"; {again} had to be processed again" if again else "")


def lost_orders(confirmed: list[ErpOrder], read: ErpFinal) -> Iterator[str]:
    """Confirmed before the read, and not found there as they were placed."""
    for order in confirmed:
        found = read.orders.get(order.name)
        if order.end > read.time:
            continue
        if found is None:
            yield f"{order.name} is not there"
        elif problem := _difference(order, found):
            yield f"{order.name} {problem}"


def _difference(order: ErpOrder, found: FoundOrder) -> str:
    if found.state not in PROCESSED:
        return f"is {found.state}"
    if found.rows != order.rows:
        return f"has {found.rows} of {order.rows} lines"
    if not (_same(found.total, order.total) and _same(found.lines_total, order.total)):
        return f"is worth {found.total} with lines of {found.lines_total}, placed were {order.total}"
    if found.moved != order.quantity:
        return f"moves {found.moved:g} of {order.quantity:g} units"
    return ""


def _same(one: str, other: str) -> bool:
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False


def strange_orders(orders: tuple[ErpOrder, ...], read: ErpFinal) -> Iterator[str]:
    """Orders that nobody placed, that are there twice, or that are confirmed although nobody asked for it."""
    placed = {order.name: order for order in orders}
    for name, found in read.orders.items():
        order = placed.get(name)
        if found.copies > 1:
            yield f"{name} is there {found.copies} times"
        if order is None:
            if found.state not in OPEN:
                yield f"{name} was never placed and is {found.state}"
        elif order.outcome == "fail" and found.state not in OPEN:
            yield f"{name} was reported as failed and is {found.state}"
