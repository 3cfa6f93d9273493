"""What the run left behind: in the logs, and in the state of the cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.drill.verdict.history import History
from holdfast.drill.verdict.result import CheckResult, Verdict

# Lines that must not appear in a green run unless the runbook says that they belong to its fault.
ALARMING = {
    "kernel bug": r"\bBUG:|Oops|general protection fault|kernel panic",
    "hung task": r"blocked for more than \d+ seconds",
    "file system damage": r"(?i)corrupt(ion|ed)|xfs.*(shut ?down|error)|EXT4-fs error",
    "input/output error": r"(?i)\bI/O error\b",
    "no space": r"(?i)no space left on device",
    "database panic": r"\bPANIC:|invalid page in block|could not read block",
    "program error": r"Traceback \(most recent call last\)|segfault at",
}


def check_log(history: History) -> CheckResult:
    """A green test with a corrupt page in the log is not green."""
    name, title = "log_scan", "Nothing alarming in the logs"
    silent = sorted(set(history.nodes) - {line.node for line in history.log})
    if silent:
        return CheckResult(name, title, Verdict.UNKNOWN, f"no log of {', '.join(silent)}")
    found = list(alarming_lines(history))
    if found:
        return CheckResult(name, title, Verdict.FAIL, f"{len(found)} alarming lines", tuple(found[:30]), len(found), 0)
    return CheckResult(name, title, Verdict.PASS, f"{len(history.log)} lines read")


# journald calls its own file corrupted after every crash; that is what it renames it for. An ERP's application server
# says with a traceback that its database went away; what its users saw of it is judged by the checks of the ERP.
IGNORED_SOURCES = ("systemd-journald", "trytond")


def alarming_lines(history: History) -> Iterator[str]:
    """Lines of the kinds above that this runbook does not expect. A reservation conflict is none of them: it is how a
    node without the package is refused, and on the owner the other checks see what it means."""
    allowed = [re.compile(pattern) for pattern in history.expect.log_patterns_allowed]
    for line in (entry for entry in history.log if entry.source not in IGNORED_SOURCES):
        for kind, pattern in ALARMING.items():
            if re.search(pattern, line.text) and not any(rule.search(line.text) for rule in allowed):
                yield f"{line.node}: {kind}: {line.text[:200]}"
                break


def check_state(history: History) -> CheckResult:
    """The cluster afterwards is the cluster before: owner, paths, mounts, units, rules, timers."""
    name, title = "state", "The cluster is as it was before"
    if not history.state_before or not history.state_after:
        return CheckResult(name, title, Verdict.UNKNOWN, "the state was not recorded on both sides")
    differences = list(compare(history.state_before, history.state_after))
    if differences:
        words = f"{len(differences)} difference(s): {differences[0]}"
        return CheckResult(name, title, Verdict.FAIL, words, tuple(differences), len(differences), 0)
    return CheckResult(name, title, Verdict.PASS, "no difference")


def compare(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Differences of two nested values, one line each."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from compare(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
    elif before != after:
        yield f"{path}: {before!r} became {after!r}"
