"""docs/reference/event_log.md: every event that the agent's sources can write, found in the sources."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.docs.reference import meanings
from holdfast.docs.reference.markdown import code, fence, page, table

_AGENT = "agent/holdfast_agent"
_EXAMPLE = """{"t_mono":512.204511,"t_wall":"2026-11-23T10:04:31.207+00:00","node":"node2","package":"erp","event":"state",
 "state":"challenging","reason":"node1: silent on every network"}"""
_ABOUT = """One JSON object per line in `/var/log/holdfast/events.jsonl` on every node, and the same for people in the journal
(`journalctl -u holdfast-agent`). Every decision of the agent is there with its reason; a drill collects the files of all nodes.
(The line below is broken for reading.)"""
_KEYS = """| Key | Meaning |
| --- | --- |
| `t_mono` | seconds of the node's monotonic clock: differences within one boot are exact, also when the wall clock jumps |
| `t_wall` | wall clock, UTC, milliseconds |
| `node`, `package` | who; `package` is null for what concerns the node |
| `event` | what, see below |
| `lost_lines` | only after a full disk: how many lines could not be written before this one |

Further keys depend on the event; `reason` is in words, `state` is the state of the package on this node at that moment."""


@dataclass
class EventSource:
    """One event: the files that write it and the keys that it may carry."""

    files: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)


def find_events(root: Path) -> dict[str, EventSource]:
    """Every event named in the agent's sources."""
    found: dict[str, EventSource] = {}
    for path in sorted((root / _AGENT).rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and call.args and _writes_an_event(call.func):
                for name in _names(call.args[0]):
                    source = found.setdefault(name, EventSource())
                    source.files.add(str(path.relative_to(root / _AGENT)))
                    source.keys |= {"reason", "state"} if path.parent.name == "core" else set()
                    source.keys |= {word.arg for word in call.keywords if word.arg and word.arg not in ("level", "package")}
    for word in _WORDS_OF_MAIN:
        found.setdefault(word, EventSource({"__main__.py"}, {"reason"}))
    return found


# Written through a variable: `for word, problem in (("memory not locked", …), …): log.write(word, …)`.
_WORDS_OF_MAIN = ("memory not locked", "no real-time priority")


def _writes_an_event(function: ast.expr) -> bool:
    """`turn.log(…)`, `self._log(…)`, and `write` of something that is called a log."""
    if not isinstance(function, ast.Attribute):
        return False
    return function.attr in ("log", "_log") or (function.attr == "write" and ast.unparse(function.value).endswith("log"))


def _names(argument: ast.expr) -> Iterator[str]:
    """A constant, the two sides of `a if c else b`, or `watchdog fed again` and its like from an f-string of one word."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    elif isinstance(argument, ast.IfExp):
        yield from _names(argument.body)
        yield from _names(argument.orelse)
    elif isinstance(argument, ast.JoinedStr) and isinstance(argument.values[0], ast.Constant):
        prefix = str(argument.values[0].value)
        yield from (name for name in meanings.EVENTS if name.startswith(prefix))


def render_event_log(root: Path) -> str:
    """The whole page."""
    events = find_events(root)
    rows = [
        (code(name), words, ", ".join(code(key) for key in sorted(events[name].keys)))
        for name, words in meanings.explained(sorted(events), meanings.EVENTS, "EVENTS")
    ]
    return page("Event log", f"`{_AGENT}`", _ABOUT, fence(_EXAMPLE, "json"), "## A line", _KEYS, "## Events",
                table(("Event", "Meaning", "Keys"), rows))  # fmt: skip
