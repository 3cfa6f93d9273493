# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""All tests of a site, or those that were selected."""

from __future__ import annotations

from .network import run_network_tests
from .storage import run_storage_tests
from .system import run_system_tests
from .verdict import FAIL, PASS, SKIPPED, UNKNOWN, Result, summarise

CATEGORIES = ("inventory", "network", "storage", "system")
_NO_SITE = "the inventory has problems; nothing can be compared with it"


def run_tests(site, problems, seen, nodes_of_lun, arbitration=None, only=()):
    """The report of a site.

    I(site) is None where the inventory has I(problems). I(seen) is what each node observed, None for one that could not be
    asked. I(arbitration) is the answer of the arbitration test, None where there was no spare LUN. I(only) names
    categories and tests; empty means all.
    """
    results = [Result("inventory", "definitions", FAIL if problems else PASS, tuple(problems))]
    if site is None:
        results += [Result(category, category, UNKNOWN, (_NO_SITE,)) for category in CATEGORIES[1:]]
    else:
        results += run_network_tests(site, seen) + run_storage_tests(site, seen, nodes_of_lun)
        results += [_judge_arbitration(arbitration), *run_system_tests(site, seen)]
    selected = [result for result in results if not only or result.category in only or result.name in only]
    return summarise(selected)


def _judge_arbitration(answer):
    name = "the owner keeps a LUN and an ejected node is refused"
    if answer is None:
        reason = "no LUN of the site is free for it; a LUN that no package uses would be taken"
        return Result("storage", name, SKIPPED, (reason,))
    findings = tuple(answer["findings"])
    return Result("storage", name, FAIL if findings else PASS, findings)
