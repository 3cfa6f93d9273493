"""The verdict in the forms that others read: JSON for programs, JUnit for CI, Markdown for people in a hurry."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from holdfast.drill.verdict.history import History
from holdfast.drill.verdict.result import Judgement, Verdict


def write_verdict(root: Path, history: History, judgement: Judgement) -> None:
    """verdict.json, junit.xml and summary.md in the evidence folder."""
    (root / "verdict.json").write_text(json.dumps(verdict_document(history, judgement), indent=1) + "\n")
    (root / "junit.xml").write_text(junit_document(history, judgement))
    (root / "summary.md").write_text(markdown_document(history, judgement))


def verdict_document(history: History, judgement: Judgement) -> dict[str, Any]:
    """What `drill history` reads back."""
    run = history.run
    outage = next((c for c in judgement.checks if c.name == "outage"), None)
    return {
        "schema": 1,
        "runbook": run.get("runbook"),
        "package": run.get("package"),
        "cluster": run.get("cluster"),
        "started": run.get("started"),
        "ended": run.get("ended"),
        "verdict": judgement.verdict.value,
        "outage_seconds": outage.measured if outage else None,
        "outage_limit_seconds": outage.limit if outage else None,
        "digest": run.get("digest"),
        "git": run.get("git"),
        "checks": [asdict(check) for check in judgement.checks],
    }


def junit_document(history: History, judgement: Judgement) -> str:
    """FAIL is a failure; UNKNOWN is an error, so that no CI system counts it as passed or skipped."""
    run = history.run
    seconds = float(run.get("ended") or 0) - float(run.get("started") or 0)
    name = f"{run.get('runbook')}.{run.get('package')}"
    suite = ElementTree.Element("testsuite", {
        "name": name,
        "tests": str(len(judgement.checks)),
        "failures": str(sum(c.verdict is Verdict.FAIL for c in judgement.checks)),
        "errors": str(sum(c.verdict is Verdict.UNKNOWN for c in judgement.checks)),
        "time": f"{seconds:.1f}",
        "timestamp": iso_time(run.get("started")),
    })  # fmt: skip
    for check in judgement.checks:
        add_case(suite, name, check.title, check.verdict, check.summary, check.findings)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def add_case(
    suite: ElementTree.Element, classname: str, name: str, verdict: Verdict, summary: str, findings: tuple[str, ...]
) -> None:
    """One test case; what did not pass carries its findings."""
    case = ElementTree.SubElement(suite, "testcase", {"classname": classname, "name": name})
    if verdict is Verdict.PASS:
        ElementTree.SubElement(case, "system-out").text = printable(summary)
    else:
        tag = "failure" if verdict is Verdict.FAIL else "error"
        ElementTree.SubElement(case, tag, {"message": printable(summary)}).text = printable("\n".join(findings))


def printable(text: str) -> str:
    """Without what XML 1.0 does not know (section 2.2): a log line may carry colours, or anything else."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


def table_cell(text: str) -> str:
    """A line of Markdown that stays in its cell."""
    return " ".join(text.replace("|", "/").split())


def markdown_document(history: History, judgement: Judgement) -> str:
    """One screen: the verdict, then every check as a line."""
    run = history.run
    lines = [
        f"# {judgement.verdict.value}: {run.get('title')}",
        "",
        f"`{run.get('runbook')}` on package `{run.get('package')}` of cluster `{run.get('cluster')}`, "
        f"{iso_time(run.get('started'))}",
        "",
        *markdown_checks(judgement),
        *markdown_findings(judgement),
    ]
    return "\n".join(lines)


def markdown_checks(judgement: Judgement) -> list[str]:
    """A table with every check, and an empty line."""
    rows = [f"| {c.title} | {c.verdict.value} | {table_cell(c.summary)} |" for c in judgement.checks]
    return ["| Check | Verdict | Result |", "| --- | --- | --- |", *rows, ""]


def markdown_findings(judgement: Judgement) -> list[str]:
    """A section for every check that did not pass and has something to show, each with an empty line at its end."""
    told = [check for check in judgement.checks if check.verdict is not Verdict.PASS and check.findings]
    return [line for check in told for line in (f"## {check.title}", "", *(f"- {finding}" for finding in check.findings), "")]


def iso_time(seconds: Any) -> str:
    """A time of the wall clock, in seconds, as ISO 8601 in UTC; the epoch where there is none."""
    return datetime.fromtimestamp(float(seconds or 0), UTC).isoformat(timespec="seconds")
