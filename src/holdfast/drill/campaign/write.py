"""A campaign's verdict in the forms that others read. verdict.json has the keys of a drill's, so that the history of
drills shows campaigns too; campaign.json has every round."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from holdfast.drill.campaign.figures import KindFigures, RoundFigures
from holdfast.drill.campaign.rounds import Leg
from holdfast.drill.verdict.history import History
from holdfast.drill.verdict.result import Judgement, Verdict
from holdfast.drill.verdict.write import add_case, iso_time, markdown_checks, markdown_findings


@dataclass(frozen=True)
class Outcome:
    """Everything that is said about a campaign, once."""

    history: History
    judgement: Judgement
    rounds: Sequence[RoundFigures]
    kinds: Sequence[KindFigures]
    legs: Sequence[Leg]

    @property
    def longest(self) -> float | None:
        return max((r.outage_seconds for r in self.rounds if r.outage_seconds is not None), default=None)

    @property
    def faults(self) -> int:
        return sum(len(r.faults) for r in self.rounds if r.round.ended is not None)


def write_campaign(root: Path, outcome: Outcome) -> None:
    """verdict.json, campaign.json, junit.xml and summary.md in the evidence folder."""
    (root / "verdict.json").write_text(json.dumps(verdict_document(outcome), indent=1) + "\n")
    (root / "campaign.json").write_text(json.dumps(campaign_document(outcome), indent=1) + "\n")
    (root / "junit.xml").write_text(junit_document(outcome))
    (root / "summary.md").write_text(markdown_document(outcome))


def verdict_document(outcome: Outcome) -> dict[str, Any]:
    run = outcome.history.run
    kept = ("runbook", "package", "cluster", "started", "ended", "digest", "git", "campaign")
    return {"schema": 1, **{key: run.get(key) for key in kept}, "verdict": outcome.judgement.verdict.value,
            "outage_seconds": outcome.longest, "outage_limit_seconds": None, "faults": outcome.faults,
            "checks": [asdict(check) for check in outcome.judgement.checks]}  # fmt: skip


def campaign_document(outcome: Outcome) -> dict[str, Any]:
    """Every round with what it did, and the outages by kind."""
    return {
        "schema": 1,
        "campaign": outcome.history.run.get("campaign"),
        "verdict": outcome.judgement.verdict.value,
        "legs": [asdict(leg) for leg in outcome.legs],
        "kinds": [{"kind": k.kind, "rounds": len(k.outages), "median_seconds": k.median, "p95_seconds": k.p95,
                   "max_seconds": max(k.outages), "limit_seconds": k.limit_seconds, "over_limit": k.over}
                  for k in outcome.kinds],
        "rounds": [round_document(entry) for entry in outcome.rounds],
    }  # fmt: skip


def round_document(entry: RoundFigures) -> dict[str, Any]:
    played = entry.round
    return {"number": played.number, "serial": played.serial, "runbooks": list(played.runbooks), "roles": dict(played.roles),
            "started": played.started, "ended": played.ended, "hold_seconds": played.hold_seconds, "outcome": played.outcome,
            "detail": played.detail, "faults_proven": list(entry.faults), "not_injected": list(played.not_injected),
            "outage_seconds": entry.outage_seconds, "limit_seconds": entry.limit_seconds, "client_errors": entry.errors,
            "service_seconds": played.service_seconds, "moves": entry.moves, "restarted": list(entry.restarted),
            "owner_after": entry.owner_after}  # fmt: skip


def junit_document(outcome: Outcome) -> str:
    """One case per check and one per round that was played to its end, or never will be."""
    run, checks = outcome.history.run, outcome.judgement.checks
    again = {r.round.number: r.round.serial for r in outcome.rounds}
    rounds = [r for r in outcome.rounds if again[r.round.number] == r.round.serial]
    verdicts = [check.verdict for check in checks] + [_verdict(entry) for entry in rounds]
    name = f"campaign.{run.get('package')}"
    suite = ElementTree.Element("testsuite", {
        "name": name, "tests": str(len(verdicts)), "failures": str(verdicts.count(Verdict.FAIL)),
        "errors": str(verdicts.count(Verdict.UNKNOWN)),
        "time": f"{float(run.get('ended') or 0) - float(run.get('started') or 0):.1f}", "timestamp": iso_time(run.get("started")),
    })  # fmt: skip
    for check in checks:
        add_case(suite, name, check.title, check.verdict, check.summary, check.findings)
    for entry in rounds:
        played = entry.round
        waited = "" if entry.outage_seconds is None else f"longest outage {entry.outage_seconds:.2f} s; "
        words = waited + played.detail
        add_case(suite, f"{name}.rounds", f"round {played.number}: {played.name}", _verdict(entry), words, entry.faults)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def _verdict(entry: RoundFigures) -> Verdict:
    return {"ok": Verdict.PASS, "failed": Verdict.FAIL}.get(entry.round.outcome, Verdict.UNKNOWN)


def markdown_document(outcome: Outcome) -> str:
    """One screen: the verdict, outages by kind, every check, and the rounds that were not as they should be."""
    run, judgement = outcome.history.run, outcome.judgement
    settings = run.get("campaign", {})
    lines = [
        f"# {judgement.verdict.value}: {run.get('title')}",
        "",
        f"Seed {settings.get('seed')}, {outcome.faults} faults in {len(outcome.rounds)} rounds, package `{run.get('package')}` "
        f"of cluster `{run.get('cluster')}`, {iso_time(run.get('started'))}",
        "",
        *markdown_checks(judgement),
        "| Faults of | Rounds | Median s | 95 % s | Max s | Limit of the drill s | Over |",
        "| --- | --: | --: | --: | --: | --: | --: |",
        *(f"| {k.kind} | {len(k.outages)} | {k.median:.2f} | {k.p95:.2f} | {max(k.outages):.2f} | "
          f"{'-' if k.limit_seconds is None else f'{k.limit_seconds:g}'} | {k.over} |" for k in outcome.kinds),
        "",
        *markdown_findings(judgement),
    ]  # fmt: skip
    return "\n".join(lines)
