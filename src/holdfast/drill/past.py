"""Runs over time, from the evidence folders alone: the last verdict of every drill, its trend, and what has changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from holdfast.drill.checkout import ask_git

# What runs on the nodes, and what breaks, measures and judges; a changed page is no changed cluster.
CODE = ("agent", "plugins", "roles", "playbooks", "src/holdfast/drill", "src/holdfast/probe")
BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class PastRun:
    """One verdict.json, and of run.json which versions ran."""

    folder: Path
    runbook: str
    package: str
    cluster: str
    started: float
    verdict: str
    outage_seconds: float | None
    digest: str
    revision: str
    limit_seconds: float | None = None
    versions: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    """The runbook as it was."""

    @property
    def failed_checks(self) -> list[str]:
        checks = _document(self.folder / "verdict.json").get("checks", [])
        return [str(check["title"]) for check in checks if check["verdict"] != "PASS"]


@dataclass(frozen=True)
class Present:
    """What there is now: the definition's digest by package where the nodes were asked, the runbooks, and the code."""

    digests: Mapping[str, str] = field(default_factory=dict)
    runbooks: Mapping[str, str] = field(default_factory=dict)
    code_changed: Callable[[str], bool] = lambda revision: False


def look_at_code(project: Path) -> Callable[[str], bool]:
    """Whether the code differs from that of a revision; one that is not known here is another code."""
    known: dict[str, bool] = {"": False}

    def changed(revision: str) -> bool:
        if revision not in known:
            known[revision] = ask_git(project, "diff", "--quiet", revision, "--", *CODE)[0] != 0
        return known[revision]

    return changed


def read_runs(root: Path) -> list[PastRun]:
    """All runs, oldest first. A folder without a readable verdict is a run that was torn: UNKNOWN."""
    return sorted((_read(folder) for folder in root.glob("*Z-*") if folder.is_dir()), key=lambda run: run.started)


def _read(folder: Path) -> PastRun:
    verdict, described = _document(folder / "verdict.json"), _document(folder / "run.json")
    run = verdict or described
    name = str(run.get("runbook") or folder.name)
    return PastRun(
        folder,
        name,
        str(run.get("package") or ""),
        str(run.get("cluster") or ""),
        float(run.get("started") or folder.stat().st_mtime),
        str(verdict.get("verdict") or "UNKNOWN"),
        verdict.get("outage_seconds"),
        str(run.get("digest") or ""),
        str((run.get("git") or {}).get("revision") or ""),
        verdict.get("outage_limit_seconds"),
        described.get("versions") or {},
        _text(folder / "inputs" / f"{name}.yml"),
    )


def _document(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def summarise(runs: Iterable[PastRun], present: Present | None = None) -> list[dict[str, Any]]:
    """One row per cluster, package and runbook: last verdict, last PASS, outages, and what has changed since then."""
    groups: dict[tuple[str, str, str], list[PastRun]] = {}
    for run in runs:
        groups.setdefault((run.cluster, run.package, run.runbook), []).append(run)
    newest = {key[:2]: max(group, key=lambda r: r.started) for key, group in _by_package(groups).items()}
    return [_row(key, group, newest[key[:2]], present or Present()) for key, group in sorted(groups.items())]


def _by_package(groups: dict[tuple[str, str, str], list[PastRun]]) -> dict[tuple[str, str], list[PastRun]]:
    found: dict[tuple[str, str], list[PastRun]] = {}
    for key, group in groups.items():
        found.setdefault(key[:2], []).extend(group)
    return found


def _row(key: tuple[str, str, str], group: list[PastRun], newest: PastRun, present: Present) -> dict[str, Any]:
    passes = [run for run in group if run.verdict == "PASS"]
    outages = [run.outage_seconds for run in passes if run.outage_seconds is not None]
    last = passes[-1] if passes else None
    return {
        "cluster": key[0], "package": key[1], "runbook": key[2], "runs": len(group), "last": group[-1].verdict,
        "last_run": group[-1].started, "last_pass": last.started if last else None, "outages": outages[-10:],
        "trend": trend(outages), "changed_since_pass": list(changes(last, newest, present)) if last else [],
        "folder": str(group[-1].folder),
    }  # fmt: skip


def trend(outages: list[float]) -> float | None:
    """By how many seconds the newest one is longer than the median of those before it."""
    return outages[-1] - median(outages[:-1]) if len(outages) > 2 else None


def changes(last: PastRun, newest: PastRun, present: Present) -> Iterable[str]:
    """What is different from the last PASS: the package's definition, the runbook, the code, programs of the hosts."""
    if last.digest != present.digests.get(last.package, newest.digest):
        yield "definition"
    now = present.runbooks.get(last.runbook)
    if now is not None and last.text and now != last.text:
        yield "runbook"
    if present.code_changed(last.revision):
        yield "code"
    yield from changed_programs(last.versions, newest.versions)


def changed_programs(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """`kernel on node1`, for hosts that were looked at both times."""
    pairs = {host: (before[host], now[host]) for host in sorted(set(before) & set(now))}
    hosts = {host: pair for host, pair in pairs.items() if all(isinstance(programs, Mapping) for programs in pair)}
    return [f"{program} on {host}" for host, (old, new) in hosts.items() for program in sorted({*old, *new})
            if old.get(program) != new.get(program)]  # fmt: skip


def render_history(rows: list[dict[str, Any]]) -> str:
    """A table for a terminal."""
    if not rows:
        return "no drill has been run yet"
    lines = [f"{'runbook':31} {'package':10} {'runs':>4}  {'last':8} {'last PASS':17} {'outage s (newest last)':36} {'trend':8} "
             "changed since the last PASS"]  # fmt: skip
    for row in rows:
        outages = " ".join(f"{seconds:.1f}" for seconds in row["outages"][-6:])
        drift = "" if row["trend"] is None else f"{row['trend']:+.1f} s"
        lines.append(f"{row['runbook']:31} {row['package']:10} {row['runs']:>4}  {row['last']:8} {_when(row['last_pass']):17} "
                     f"{outages:36} {drift:8} {', '.join(row['changed_since_pass']) or '-'}")  # fmt: skip
    return "\n".join(lines)


def render_runs(runs: list[PastRun]) -> str:
    """Every run of one drill, oldest first, its outage as a bar beside the others."""
    if not runs:
        return "this drill has not been run yet"
    longest = max((run.outage_seconds or 0.0 for run in runs), default=0.0) or 1.0
    lines = [f"{'started':17} {'package':10} {'verdict':8} {'outage s':>9} {'limit s':>8}   {'revision':12} "
             "what did not pass; folder"]  # fmt: skip
    for run in runs:
        seconds = run.outage_seconds
        bar = " " if seconds is None else BARS[min(len(BARS) - 1, int(seconds / longest * len(BARS)))]
        outage, limit = ("-" if value is None else f"{value:.2f}" for value in (seconds, run.limit_seconds))
        words = "; ".join([*run.failed_checks[:2], str(run.folder)])
        lines.append(f"{_when(run.started):17} {run.package:10} {run.verdict:8} {outage:>9} {limit:>8} {bar} "
                     f"{run.revision[:12]:12} {words}")  # fmt: skip
    return "\n".join(lines)


def _when(seconds: float | None) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M") if seconds else "never"
