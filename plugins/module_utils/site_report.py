# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of a validation as one HTML page that needs nothing else."""

from __future__ import annotations

from html import escape

_META = (
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
)
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1a1a1a;background:#fff}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid #ddd}
.v{font-weight:600;white-space:nowrap}.PASS{color:#17692b}.FAIL{color:#b3141c}.UNKNOWN,.WARNING{color:#8a5a00}.SKIPPED{color:#666}
ul{margin:.2rem 0 0;padding-left:1.1rem}
@media(prefers-color-scheme:dark){body{background:#161616;color:#e8e8e8}td,th{border-color:#444}.PASS{color:#6fcf86}
.FAIL{color:#ff7b80}.UNKNOWN,.WARNING{color:#e8b04a}.SKIPPED{color:#aaa}}
"""


def render_report(report, cluster, moment):
    """One page: the worst verdict, the counts, and one row for each test with its findings."""
    counts = ", ".join(f"{number} {verdict}" for verdict, number in report["counts"].items() if number)
    rows = "\n".join(_row(test) for test in report["tests"])
    title = f"Validation of {escape(str(cluster))}"
    return (
        f'<!doctype html>\n<html lang="en"><head>{_META}<title>{title}</title><style>{_STYLE}</style></head>\n'
        f'<body><h1>{title}: <span class="{report["verdict"]}">{report["verdict"]}</span></h1>\n'
        f"<p>{escape(moment)}: {escape(counts)}</p>\n"
        f"<table><thead><tr><th>Verdict</th><th>Category</th><th>Test</th></tr></thead><tbody>\n{rows}\n"
        "</tbody></table></body></html>\n"
    )


def _row(test):
    findings = "".join(f"<li>{escape(finding)}</li>" for finding in test["findings"])
    shown = f"<ul>{findings}</ul>" if findings else ""
    verdict = test["verdict"]
    return (
        f'<tr><td class="v {verdict}">{verdict}</td><td>{escape(test["category"])}</td>'
        f"<td>{escape(test['name'])}{shown}</td></tr>"
    )


def render_lines(report):
    """The report for a terminal: what passed in one line, everything else with its findings."""
    lines = []
    for test in report["tests"]:
        lines.append(f"{test['verdict']:8} {test['category']}: {test['name']}")
        lines += [f"           {finding}" for finding in test["findings"]]
    return [*lines, f"{report['verdict']:8} " + ", ".join(f"{n} {v}" for v, n in report["counts"].items() if n)]
