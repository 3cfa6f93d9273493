"""docs/reference/runbooks.md: the catalogue of drills, from the runbooks themselves."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from holdfast.docs.reference.markdown import code, page, table
from holdfast.drill.runbook.catalogue import load_catalogue
from holdfast.drill.runbook.explain import expectations
from holdfast.drill.runbook.model import Runbook
from holdfast.lab.errors import LabError

_ABOUT = """`./holdfast drill explain NAME` says the same with every step; `./holdfast drill run NAME --dry-run` says it with
the hosts and limits of your site. *Clients feel*: `none` is no failed attempt and no gap above a second, `pause` is a short
planned gap, `outage` is a failure and its repair. How drills work: [drills](../drills.md); how to write one: [runbook
reference](../runbook_schema.md)."""


def render_runbooks(root: Path) -> str:
    """The whole page."""
    catalogue = load_catalogue([root / "runbooks"])
    if catalogue.problems:
        raise LabError(f"{len(catalogue.problems)} problems in runbooks/, first: {catalogue.problems[0]}")
    parts = []
    for category, runbooks in groupby(catalogue.ordered(), key=lambda runbook: runbook.category):
        rows = [(code(r.name), r.title, r.disruption, _expected(r)) for r in runbooks]
        parts += [f"## {category.capitalize()}", table(("Drill", "What happens", "Clients feel", "Must come out"), rows)]
    total = f"{len(catalogue.runbooks)} drills."
    return page("Catalogue of drills", "`runbooks/*.yml`", f"{total} {_ABOUT}", *parts)


def _expected(runbook: Runbook) -> str:
    """Owner and outage; what holds for all drills is told once in docs/drills.md."""
    owner, outage, *_ = expectations(runbook)
    return f"{owner.removesuffix(' (roles are those of the start)')}; {outage}"
