"""What is known about a campaign before its first fault: run.json, and the plan that a dry run prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from holdfast.drill.campaign.draw import Entry, Round
from holdfast.drill.evidence import describe_site
from holdfast.drill.plan import Roles
from holdfast.drill.view import ClusterView


@dataclass(frozen=True)
class Settings:
    """`minutes`: pause when they are over (a maintenance window), None: go on to the end."""

    seed: int
    faults: int
    limit_seconds: float = 300.0
    checkpoint_every: int = 10
    minutes: float | None = None


def describe_campaign(
    settings: Settings, view: ClusterView, roles: Roles, project: Path, probe: dict[str, Any]
) -> dict[str, Any]:
    """run.json of a campaign; the same keys as that of a drill where they mean the same."""
    return {
        "schema": 1,
        "kind": "campaign",
        "runbook": "campaign",
        "title": f"Campaign of {settings.faults} random faults",
        "purpose": "Single drills show that each fault is survived alone. A campaign shows that the cluster is as good after "
                   "the hundredth fault as before the first, and that faults that meet each other do no more than delay it.",
        "category": "combined",
        "campaign": asdict(settings),
        "expect": {},
        **describe_site(view, roles, project, probe),
    }  # fmt: skip


def describe_rounds(rounds: Sequence[Round], excluded: Mapping[str, str], view: ClusterView, settings: Settings) -> str:
    """The plan: everything that the seed decides, and what it cannot decide (who owns the package by then)."""
    lines = [
        f"campaign on package {view.name} of cluster {view.cluster}: seed {settings.seed}, {settings.faults} faults in "
        f"{len(rounds)} rounds, {sum(r.hold_seconds for r in rounds) / 60:.0f} minutes of faults without the way back",
        f"after each round in service within {settings.limit_seconds:g} s, else it stops; owner and standby are whoever they "
        "are by then",
        "",
    ]
    for entry in rounds:
        parts = [f"{d.runbook}" + (f" (+{d.delay_seconds:g} s)" if d.delay_seconds else "") for d in entry.draws]
        lines.append(f"{entry.number:4}  {' and '.join(parts)}, undone after {entry.hold_seconds:g} s")
    lines += [f"not drawn here: {name}: {why}" for name, why in excluded.items()]
    return "\n".join(lines)


def split_entries(entries: Sequence[Entry], reasons: Mapping[str, Sequence[str]]) -> tuple[list[Entry], dict[str, str]]:
    """Those that this site can play, and why not the others."""
    good = [entry for entry in entries if not reasons.get(entry.runbook)]
    return good, {entry.runbook: "; ".join(reasons[entry.runbook]) for entry in entries if reasons.get(entry.runbook)}
