"""What clients saw: how long they had no success, what they were told, and whether it was true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from holdfast.drill.verdict.history import Attempt, FinalRead, History
from holdfast.drill.verdict.outage import Gap, longest_gaps, resolution
from holdfast.drill.verdict.result import CheckResult, Verdict

# The limit behind `outage: none`. One second is the shortest pause at which people speak of an interruption (Nielsen,
# "Response Times: The 3 Important Limits"); the probe's own resolution is two orders of magnitude finer.
NO_INTERRUPTION_SECONDS = 1.0


def outage_limit(history: History) -> float | None:
    """The limit in seconds, or None where any outage is accepted."""
    wanted = history.expect.outage
    if isinstance(wanted, float | int):
        return float(wanted)
    named = {
        "none": NO_INTERRUPTION_SECONDS,
        "switchover": history.objectives.get("switchover_seconds"),
        "takeover": history.objectives.get("takeover_seconds"),
    }
    return named.get(wanted)


def observed_until(history: History) -> float | None:
    """Outage counts until the first owner is about to be restored; the way home is not part of the act."""
    heal = history.phase("heal")
    act = history.phase("act")
    return heal.ended if heal else act.ended if act else None


def check_outage(history: History) -> CheckResult:
    """The longest time without success of the worst writer, against the package's objective."""
    name, title = "outage", "Outage within the objective"
    since, until = history.act_start, observed_until(history)
    if since is None or until is None or not history.attempts:
        return CheckResult(name, title, Verdict.UNKNOWN, "the probe recorded no attempts")
    gaps = longest_gaps(history.attempts, since, until)
    blind = sorted(worker for worker, gap in gaps.items() if gap is None)
    if blind or not gaps:
        return CheckResult(name, title, Verdict.UNKNOWN, f"no success before the fault: {', '.join(blind) or 'nobody'}")
    measured = [gap for gap in gaps.values() if gap is not None]
    gap = max(measured, key=lambda g: g.seconds)
    fine = resolution(history.attempts, since)
    findings = (*(_describe_gap(g, history.zero) for g in measured), f"resolution of the probe {fine or 0:.3f} s")
    return _judge_outage(name, title, gap, outage_limit(history), findings, history)


def _describe_gap(gap: Gap, since: float) -> str:
    tail = "" if gap.recovered else ", and no success any more until the end"
    return f"{gap.worker}: {gap.seconds:.3f} s, from {gap.start - since:+.3f} s to {gap.end - since:+.3f} s{tail}"


def _judge_outage(
    name: str, title: str, gap: Gap, limit: float | None, findings: tuple[str, ...], history: History
) -> CheckResult:
    if limit is None and history.expect.outage != "any":
        words = f"the package has no objective {history.expect.outage}_seconds"
        return CheckResult(name, title, Verdict.UNKNOWN, words, findings, gap.seconds, None, "s")
    if limit is None:
        words = f"{gap.seconds:.2f} s, no limit asked for"
        return CheckResult(name, title, Verdict.PASS, words, findings, gap.seconds, None, "s")
    good = gap.seconds <= limit and (gap.recovered or history.expect.owner == "nobody")
    words = f"{gap.seconds:.2f} s of at most {limit:g} s" + ("" if gap.recovered or good else ", without recovery")
    never_due = history.act_cut_short and gap.seconds <= limit
    bad = Verdict.UNKNOWN if never_due else Verdict.FAIL
    return CheckResult(name, title, Verdict.PASS if good else bad, words, findings, gap.seconds, limit, "s")


def check_client_errors(history: History) -> CheckResult:
    """Where the runbook promises that clients notice nothing, not one attempt may fail."""
    name, title = "client_errors", "Errors that clients saw"
    since, until = history.act_start, observed_until(history)
    if since is None or until is None or not history.attempts:
        return CheckResult(name, title, Verdict.UNKNOWN, "the probe recorded no attempts")
    during = [a for a in history.attempts if a.end >= since and a.start <= until]
    bad = [a for a in during if a.outcome != "ok"]
    words = f"{len(bad)} of {len(during)} attempts"
    if not during:
        return CheckResult(name, title, Verdict.UNKNOWN, "no attempt during the act")
    if bad and history.expect.client_errors == "none":
        findings = tuple(f"{a.worker} {a.start - history.zero:+.3f} s {a.stage}: {a.error}" for a in bad[:20])
        return CheckResult(name, title, Verdict.FAIL, words + ", none was allowed", findings, len(bad), 0)
    return CheckResult(name, title, Verdict.PASS, words, measured=len(bad))


def check_acknowledged(history: History) -> CheckResult:
    """Every transaction that a client saw committed is there, whole, in every final read; and nothing else is."""
    name, title = "acknowledged", "Nothing acknowledged is lost"
    writers = [a for a in history.attempts if a.role == "writer"]
    acknowledged = sum(a.outcome == "ok" for a in writers)
    labels = {read.label for read in history.finals}
    missing = {"after_act", "after_restore"} - labels
    if not acknowledged or not labels:
        what = "no transaction was acknowledged" if not acknowledged else "no final read"
        return CheckResult(name, title, Verdict.UNKNOWN, what)
    lost, strange = [], []
    for read in history.finals:
        lost += [f"{read.label}: {row}" for row in lost_rows(writers, read)]
        strange += [f"{read.label}: {row}" for row in strange_rows(writers, read)]
    allowed = int(history.objectives.get("lost_transactions", 0))
    count = len({row.split(": ", 1)[1] for row in lost})
    if count > allowed or strange:
        words = f"{count} of {acknowledged} acknowledged transactions lost" if count else strange[0]
        return CheckResult(name, title, Verdict.FAIL, words, tuple([*lost, *strange][:50]), count, allowed)
    if missing:
        return CheckResult(name, title, Verdict.UNKNOWN, f"final read missing: {', '.join(sorted(missing))}")
    open_ones = sum(a.outcome == "indeterminate" for a in writers)
    words = f"{acknowledged} acknowledged, all found; {open_ones} with unknown outcome"
    return CheckResult(name, title, Verdict.PASS, words, tuple(lost), count, allowed)


def lost_rows(writers: list[Attempt], read: FinalRead) -> Iterator[str]:
    """Transactions acknowledged before the read that it did not find, or found in part only."""
    for attempt in writers:
        if attempt.outcome == "ok" and attempt.end <= read.time:
            found = read.rows.get(attempt.worker, {}).get(attempt.seq, 0)
            if found != attempt.rows:
                yield f"{attempt.worker} #{attempt.seq} ({found} of {attempt.rows} rows)"


def strange_rows(writers: list[Attempt], read: FinalRead) -> Iterator[str]:
    """Rows that no client ever tried to write, or that were reported as failed and are there all the same."""
    tried: Mapping[tuple[str, int], Attempt] = {(a.worker, a.seq): a for a in writers}
    for worker, rows in read.rows.items():
        for seq, count in rows.items():
            attempt = tried.get((worker, seq))
            if attempt is None:
                yield f"{worker} #{seq} was never written by a client"
            elif attempt.outcome == "fail":
                yield f"{worker} #{seq} was reported as failed and is there"
            elif count != attempt.rows and attempt.outcome == "indeterminate":
                yield f"{worker} #{seq} is there in part ({count} of {attempt.rows} rows)"


def check_reads(history: History) -> CheckResult:
    """No reader may miss a row that had been acknowledged before it asked: an old owner must not answer any more."""
    name, title = "reads", "Readers saw the newest data"
    reads = [a for a in history.attempts if a.role == "reader" and a.outcome == "ok"]
    if not reads:
        return CheckResult(name, title, Verdict.UNKNOWN, "no reader got an answer")
    stale = list(_stale_reads(history.attempts, reads))
    if stale:
        return CheckResult(name, title, Verdict.FAIL, f"{len(stale)} stale answers", tuple(stale[:20]), len(stale), 0)
    return CheckResult(name, title, Verdict.PASS, f"{len(reads)} reads, none stale")


def _stale_reads(attempts: tuple[Attempt, ...], reads: list[Attempt]) -> Iterator[str]:
    """Sweep in the order of time: `newest` is what had been acknowledged when a read began."""
    acks = sorted((a for a in attempts if a.role == "writer" and a.outcome == "ok"), key=lambda a: a.end)
    newest: dict[str, int] = {}
    position = 0
    for read in sorted(reads, key=lambda r: r.start):
        while position < len(acks) and acks[position].end <= read.start:
            newest[acks[position].worker] = max(acks[position].seq, newest.get(acks[position].worker, 0))
            position += 1
        for worker, seq in newest.items():
            if read.seen.get(worker, 0) < seq:
                yield f"{read.worker} #{read.seq} saw {worker} #{read.seen.get(worker, 0)}, acknowledged was #{seq}"
