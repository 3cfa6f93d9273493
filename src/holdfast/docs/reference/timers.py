"""docs/reference/timers.md, from the agent's timers: all profiles side by side, and the relations that must hold."""

from __future__ import annotations

from pathlib import Path

from holdfast_agent.core import timers

from holdfast.docs.reference.markdown import code, page, table

_ABOUT = """`holdfast_cluster.profile` chooses one set for the whole cluster; single timers cannot be set. `./holdfast explain
timers PROFILE` prints one. All values are seconds. No timer is what keeps the data safe: the array is. A wrong set costs an
unneeded move or a slow one."""
_CHOOSING = """- **fast**: for an array whose reservation commands take well below 0.15 s (LIO on a local network). Used by the
  lab. On a machine that stalls for longer than 0.25 s the agents re-check often, and a takeover is called too early rather than
  too late.
- **standard**: the default. For most sites.
- **conservative**: for arrays that may take seconds for a reservation command, and for networks that drop packets for seconds."""


def render_timers(root: Path) -> str:
    """The whole page."""
    profiles = list(timers.PROFILES.values())
    rows = [
        (code(name), meaning, *(f"{getattr(profile, name):g}" for profile in profiles))
        for name, meaning in timers._EXPLANATIONS
    ]
    names = [profile.profile for profile in profiles]
    relations = [
        (f"{rows[0].low_name} ≤ {rows[0].high_name}", *(f"{r.low:g} ≤ {r.high:g}" for r in rows), rows[0].why)
        for rows in zip(*(timers.relations(profile) for profile in profiles), strict=True)
    ]
    return page(
        "Timers", "`agent/holdfast_agent/core/timers.py`", _ABOUT, "## Choosing a profile", _CHOOSING,
        "## Values", table(("Timer", "Meaning", *names), rows),
        "## Relations", "A set in which one of these does not hold is refused with the reason.",
        table(("Relation", *names, "Otherwise"), relations),
    )  # fmt: skip
