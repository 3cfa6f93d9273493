"""A campaign's verdict: the invariants over all of it, each round with what its own faults allow. Pure.

What a single drill is judged by and a campaign is not: its outage against the objective, its moves, who restarted. With
faults at random times and on top of each other these have no limit of their own; they are counted and shown.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from holdfast.drill.campaign.rounds import Leg, PlayedRound, prefix
from holdfast.drill.runbook.model import Expectation
from holdfast.drill.verdict.checks import clients, conduct, ownership, traces
from holdfast.drill.verdict.history import History, NodeSample, PhaseRecord
from holdfast.drill.verdict.judge import asked_for
from holdfast.drill.verdict.result import CheckResult, Judgement, Verdict, worst

# Faults that were not proven (their host was gone for another reason) are not counted; more than this share of them
# means that the campaign did not do what it says.
UNPROVEN_SHARE = 0.1
# What ends a campaign at a checkpoint.
BROKEN_BY = ("acknowledged", "one_writer", "writes_refused", "one_address", "address_follows", "reads")


@dataclass(frozen=True)
class Window:
    """The records from the start of one round to the start of the next; `round` is None before the first."""

    round: PlayedRound | None
    history: History


def windows(history: History, rounds: Sequence[PlayedRound]) -> list[Window]:
    """Cut everything at the starts of the rounds; nothing is left out and nothing is in two of them."""
    cuts = [float("-inf"), *(entry.started for entry in rounds), float("inf")]
    attempts = sorted(history.attempts, key=lambda a: a.end)
    samples = sorted(history.samples, key=lambda s: s.time)
    answers = sorted(history.address_samples, key=lambda s: s.time)
    log = sorted(history.log, key=lambda line: line.time)
    ends = [a.end for a in attempts]
    times = ([s.time for s in samples], [s.time for s in answers], [line.time for line in log])
    found = []
    for number, entry in enumerate([None, *rounds]):
        since, until = cuts[number], cuts[number + 1]
        first = bisect_left(ends, since - 10)  # the last success before the round belongs to its outage
        a, b, c = (slice(bisect_left(t, since), bisect_left(t, until)) for t in times)
        found.append(Window(entry, replace(
            history, attempts=tuple(attempts[first:bisect_left(ends, until)]), samples=tuple(samples[a]),
            address_samples=tuple(answers[b]), log=tuple(log[c]), expect=merged(entry, rounds[max(0, number - 2) : number]),
            faults=tuple(f for f in history.faults if entry and f.id.startswith(prefix(entry.serial))),
            phases=() if entry is None else (PhaseRecord("act", entry.started, entry.ended or entry.started),),
        )))  # fmt: skip
    return found


def merged(entry: PlayedRound | None, near: Sequence[PlayedRound]) -> Expectation:
    """What the faults of a round allow together; log lines of the round before may come late."""
    if entry is None:
        return Expectation("either", "any")
    mine = entry.expect
    patterns = [p for played in (*near, entry) for e in played.expect for p in e.log_patterns_allowed]
    return Expectation(
        "either", mine[0].outage if len(mine) == 1 else "any", moves=sum(e.moves for e in mine),
        resets=tuple(role for e in mine for role in e.resets), may_reset=tuple(role for e in mine for role in e.may_reset),
        address_overlap_seconds=max(e.address_overlap_seconds for e in mine), log_patterns_allowed=tuple(patterns),
    )  # fmt: skip


def judge_campaign(history: History, rounds: Sequence[PlayedRound], legs: Sequence[Leg]) -> Judgement:
    """All answers, in the order in which a reader asks."""
    cut = windows(history, rounds)
    checks: list[Callable[[], CheckResult]] = [
        lambda: check_service(rounds),
        lambda: clients.check_acknowledged(history),
        lambda: ownership.check_one_writer(history),
        lambda: ownership.check_writes_refused(history),
        lambda: over_windows(cut, ownership.check_one_address, "every round: one answer at most"),
        lambda: over_windows(cut, ownership.check_address_follows, "every round: only where the data was"),
        lambda: clients.check_reads(history),
        lambda: ownership.check_owner_writes(history),
        lambda: check_faults(history, rounds),
        lambda: conduct.check_healed(history),
        lambda: conduct.check_entrance(history),
        lambda: conduct.check_restored(history),
        lambda: traces.check_state(history),
        lambda: check_log(cut, history),
        lambda: check_observed(history, legs),
        lambda: conduct.check_evidence(history),
    ]
    names = ("service", "acknowledged", "one_writer", "writes_refused", "one_address", "address_follows", "reads",
             "owner_paths", "faults", "healed", "entrance", "restored", "state", "log_scan", "observed", "evidence")  # fmt: skip
    asked = [_run(check.__name__.removeprefix("check_"), partial(check, history)) for check in asked_for(history)]
    return Judgement((*(_run(name, check) for name, check in zip(names, checks, strict=True)), *asked))


def _run(name: str, check: Callable[[], CheckResult]) -> CheckResult:
    try:
        return check()
    except Exception as error:  # a crashed check must not take the others with it, and must not look green
        return CheckResult(name, name.replace("_", " "), Verdict.UNKNOWN, f"the check crashed: {type(error).__name__}: {error}")


def check_service(rounds: Sequence[PlayedRound]) -> CheckResult:
    """After every round: one owner, every other node ready, all paths, clients served."""
    name, title = "service", "In service again after every fault"
    if not rounds:
        return CheckResult(name, title, Verdict.UNKNOWN, "no round was played")
    failed = [f"round {r.number} ({r.name}): {r.detail}" for r in rounds if r.outcome == "failed"]
    unclear = [f"round {r.number} ({r.name}): {r.detail}" for r in rounds if r.outcome == "error"]
    cut = [f"round {r.number} ({r.name}) was cut off and played again" for r in rounds if r.outcome == "cut off"]
    if failed:
        return CheckResult(name, title, Verdict.FAIL, failed[0], tuple(failed), len(failed), 0)
    if unclear:
        return CheckResult(name, title, Verdict.UNKNOWN, unclear[0], tuple(unclear))
    good = [r.service_seconds for r in rounds if r.outcome == "ok" and r.service_seconds is not None]
    if not good:
        return CheckResult(name, title, Verdict.UNKNOWN, "no round was played to its end")
    words = f"{len(good)} of {len(good)} rounds; at most {max(good):.0f} s after the faults were gone"
    return CheckResult(name, title, Verdict.PASS, words, tuple(cut), max(good), None, "s")


def over_windows(cut: Sequence[Window], check: Callable[[History], CheckResult], words: str) -> CheckResult:
    """The same question for every round; the worst answer counts. A window of an instant without records has none."""
    results = [(w, check(w.history)) for w in cut if w.round is not None]
    verdict = worst(result.verdict for _, result in results)
    bad = [f"round {w.round.number} ({w.round.name}): {result.summary}" for w, result in results
           if w.round is not None and result.verdict is not Verdict.PASS]  # fmt: skip
    details = [f"round {w.round.number}: {line}" for w, result in results if w.round is not None for line in result.findings]
    first = results[0][1] if results else check(History({}, Expectation("either", "any"), {}, {}, {}, {}))
    return CheckResult(first.name, first.title, verdict, bad[0] if bad else words, tuple([*bad, *details][:60]))


def check_faults(history: History, rounds: Sequence[PlayedRound]) -> CheckResult:
    """As many as were asked for, each proven to have been active; what was not proven is named and not counted."""
    name, title = "faults", "Faults were really active"
    wanted = int(history.run.get("campaign", {}).get("faults", 0))
    whole = {prefix(r.serial) for r in rounds if r.ended is not None}
    inside = [f for f in history.faults if f.id.split("_")[0] + "_" in whole]
    proven = [f for f in inside if f.active is True]
    findings = [f"{f.id} at {f.host}: no proof; {f.proof}" for f in inside if f.active is not True]
    findings += [f"round {r.number}: not injected: {words}" for r in rounds for words in r.not_injected]
    words = f"{len(proven)} proven of {wanted} wanted" + (f"; {len(findings)} more were not active" if findings else "")
    good = len(proven) >= wanted > 0 and len(findings) <= UNPROVEN_SHARE * max(len(inside), 1)
    return CheckResult(name, title, Verdict.PASS if good else Verdict.UNKNOWN, words, tuple(findings), len(proven), wanted)


def check_log(cut: Sequence[Window], history: History) -> CheckResult:
    """Alarming lines that no fault of their round explains."""
    name, title = "log_scan", "Nothing alarming in the logs"
    silent = sorted(set(history.nodes) - {line.node for line in history.log})
    if silent:
        return CheckResult(name, title, Verdict.UNKNOWN, f"no log of {', '.join(silent)}")
    found = [f"{_where(window)}: {line}" for window in cut for line in traces.alarming_lines(window.history)]
    if found:
        return CheckResult(name, title, Verdict.FAIL, f"{len(found)} alarming lines", tuple(found[:40]), len(found), 0)
    return CheckResult(name, title, Verdict.PASS, f"{len(history.log)} lines read")


def _where(window: Window) -> str:
    return f"round {window.round.number} ({window.round.name})" if window.round else "before the first round"


def check_observed(history: History, legs: Sequence[Leg]) -> CheckResult:
    """Every node, all the time that the controller was there; the time between two legs is named."""
    name, title = "observed", "Every node was watched all the time"
    results = [ownership.check_observed(replace(history, samples=tuple(_within(history, leg)))) for leg in legs]
    if not results:
        return CheckResult(name, title, Verdict.UNKNOWN, "nothing was watched")
    verdict = worst(result.verdict for result in results)
    between = [f"nobody watched for {b.started - a.ended:.0f} s between leg {a.number} and leg {b.number}"
               for a, b in itertools.pairwise(legs)]  # fmt: skip
    findings = [line for result in results for line in result.findings]
    words = findings[0] if findings else f"{len(history.samples)} samples of {len(history.nodes)} nodes in {len(legs)} leg(s)"
    return CheckResult(name, title, verdict, words, (*findings, *between))


def _within(history: History, leg: Leg) -> Iterator[NodeSample]:
    return (sample for sample in history.samples if leg.started <= sample.time <= leg.ended)
