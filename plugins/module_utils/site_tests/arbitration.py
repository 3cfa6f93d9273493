# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""What the array must answer when a spare LUN goes from one node to another."""

from __future__ import annotations

from ..write_probe import REFUSED, WRITTEN
from .built import NOT_BUILT, is_built
from .verdict import SKIPPED, Result, is_selected, judge

CATEGORY = "storage"
NAME = "the owner keeps a LUN and an ejected node is refused"
_NODES = 2


def plan_arbitration(site, spares, seen, only=(), check_mode=False):
    """Which I(nodes) try it on which I(lun), or why nobody does: I(skipped) or I(unknown)."""
    nobody = {"nodes": [], "lun": None, "skipped": None, "unknown": None}
    if site is None or not is_selected(CATEGORY, NAME, only):
        return {**nobody, "skipped": "nobody asked for it"}
    nodes = list(site["nodes"])[:_NODES]
    if check_mode:
        return {**nobody, "skipped": "check mode: it would write to a LUN"}
    if not spares:
        return {**nobody, "skipped": "no LUN of the site is free for it; a LUN that no package uses would be taken"}
    if len(nodes) < _NODES:
        return {**nobody, "skipped": "the site has one node only"}
    if not is_built(seen):
        return {**nobody, "skipped": NOT_BUILT}
    blind = [node for node in nodes if not seen.get(node) or seen[node]["luns"][spares[0]]["error"]]
    if blind:
        return {**nobody, "unknown": f"{', '.join(blind)}: cannot see {spares[0]}"}
    return {**nobody, "nodes": nodes, "lun": spares[0]}


def judge_arbitration(plan, defended, ejected, failures):
    """The test's result.

    I(defended), I(ejected): node -> path -> answer, before and after the ejection. I(failures): node -> why it could not go on.
    """
    if plan["skipped"]:
        return Result(CATEGORY, NAME, SKIPPED, (plan["skipped"],))
    unknown = [plan["unknown"]] if plan["unknown"] else [f"{node}: {failure}" for node, failure in failures.items()]
    findings = []
    if not unknown:
        first, second = plan["nodes"]
        findings += _expect(defended, first, WRITTEN, "owns the LUN")
        findings += _expect(defended, second, REFUSED, "is not registered")
        findings += _expect(ejected, second, WRITTEN, "has taken the LUN over")
        findings += _expect(ejected, first, REFUSED, "was ejected")
    return judge(CATEGORY, NAME, findings, unknown)


def _expect(answers, node, wanted, why):
    paths = answers.get(node) or {}
    if not paths:
        yield f"{node}: no path was tried"
    for path, answer in paths.items():
        if answer != wanted:
            yield f"{node} {why}, and a write over {path} was {answer}; expected was {wanted}"
