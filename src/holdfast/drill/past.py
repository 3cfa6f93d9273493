"""Runs over time, from the evidence folders alone: the last verdict of every drill, its trend, and what has changed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class PastRun:
    """One verdict.json."""

    folder: Path
    runbook: str
    package: str
    cluster: str
    started: float
    verdict: str
    outage_seconds: float | None
    digest: str
    revision: str


def read_runs(root: Path) -> list[PastRun]:
    """All runs, oldest first. A folder without a readable verdict is a run that was torn: UNKNOWN."""
    return sorted((_read(folder) for folder in root.glob("*Z-*") if folder.is_dir()), key=lambda run: run.started)


def _read(folder: Path) -> PastRun:
    verdict = _document(folder / "verdict.json")
    run = verdict or _document(folder / "run.json")
    return PastRun(
        folder,
        str(run.get("runbook") or folder.name),
        str(run.get("package") or ""),
        str(run.get("cluster") or ""),
        float(run.get("started") or folder.stat().st_mtime),
        str(verdict.get("verdict") or "UNKNOWN"),
        verdict.get("outage_seconds"),
        str(run.get("digest") or ""),
        str((run.get("git") or {}).get("revision") or ""),
    )


def _document(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found


def summarise(runs: Iterable[PastRun]) -> list[dict[str, Any]]:
    """One row per cluster, package and runbook: last verdict, last PASS, outages, and whether the definition changed."""
    groups: dict[tuple[str, str, str], list[PastRun]] = {}
    for run in runs:
        groups.setdefault((run.cluster, run.package, run.runbook), []).append(run)
    newest = {key[:2]: max(group, key=lambda r: r.started) for key, group in _by_package(groups).items()}
    return [_row(key, group, newest[key[:2]]) for key, group in sorted(groups.items())]


def _by_package(groups: dict[tuple[str, str, str], list[PastRun]]) -> dict[tuple[str, str], list[PastRun]]:
    found: dict[tuple[str, str], list[PastRun]] = {}
    for key, group in groups.items():
        found.setdefault(key[:2], []).extend(group)
    return found


def _row(key: tuple[str, str, str], group: list[PastRun], newest: PastRun) -> dict[str, Any]:
    passes = [run for run in group if run.verdict == "PASS"]
    outages = [run.outage_seconds for run in passes if run.outage_seconds is not None]
    last = passes[-1] if passes else None
    changed = [word for word, old, new in (
        ("definition", last.digest, newest.digest), ("code", last.revision, newest.revision)) if old != new
    ] if last else []  # fmt: skip
    return {
        "cluster": key[0], "package": key[1], "runbook": key[2], "runs": len(group), "last": group[-1].verdict,
        "last_run": group[-1].started, "last_pass": last.started if last else None, "outages": outages[-10:],
        "changed_since_pass": changed, "folder": str(group[-1].folder),
    }  # fmt: skip


def render_history(rows: list[dict[str, Any]]) -> str:
    """A table for a terminal."""
    if not rows:
        return "no drill has been run yet"
    lines = [f"{'runbook':28} {'package':10} {'runs':>4}  {'last':8} {'last PASS':17} {'outage s (newest last)':30} changed"]
    for row in rows:
        passed = datetime.fromtimestamp(row["last_pass"], UTC).strftime("%Y-%m-%d %H:%M") if row["last_pass"] else "never"
        outages = " ".join(f"{seconds:.1f}" for seconds in row["outages"][-6:])
        changed = " and ".join(row["changed_since_pass"]) or "-"
        lines.append(f"{row['runbook']:28} {row['package']:10} {row['runs']:>4}  {row['last']:8} {passed:17} "
                     f"{outages:30} {changed}")  # fmt: skip
    return "\n".join(lines)
