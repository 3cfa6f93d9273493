# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""What the array must answer when a spare LUN goes from one node to another."""

from __future__ import annotations

from ..write_probe import REFUSED, WRITTEN


def judge_arbitration(nodes, defended, ejected):
    """Findings of the arbitration. I(defended), I(ejected): node -> path -> answer, before and after the ejection."""
    findings = list(_expect(defended, nodes[0], WRITTEN, "owns the LUN"))
    findings += _expect(defended, nodes[1], REFUSED, "is not registered")
    findings += _expect(ejected, nodes[1], WRITTEN, "has taken the LUN over")
    findings += _expect(ejected, nodes[0], REFUSED, "was ejected")
    return {"findings": findings}


def _expect(answers, node, wanted, why):
    paths = answers.get(node) or {}
    if not paths:
        yield f"{node}: no path was tried"
    for path, answer in paths.items():
        if answer != wanted:
            yield f"{node} {why}, and a write over {path} was {answer}; expected was {wanted}"
