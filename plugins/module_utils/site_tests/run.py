# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""All tests of a site, or those that were selected."""

from __future__ import annotations

from .network import run_network_tests
from .storage import run_storage_tests
from .system import run_system_tests
from .verdict import FAIL, PASS, UNKNOWN, Result, is_selected, summarise

CATEGORIES = ("inventory", "network", "storage", "system")
_NO_SITE = "the inventory has problems; nothing can be compared with it"


def run_tests(site, problems, seen, nodes_of_lun, arbitration, only=()):
    """The report of a site.

    I(site) is None where the inventory has I(problems). I(seen) is what each node observed, None for one that could not be
    asked. I(arbitration) is the result of the arbitration test. I(only) names categories and tests; empty means all.
    """
    results = [Result("inventory", "definitions", FAIL if problems else PASS, tuple(problems))]
    if site is None:
        results += [Result(category, category, UNKNOWN, (_NO_SITE,)) for category in CATEGORIES[1:]]
    else:
        results += [*run_network_tests(site, seen), *run_storage_tests(site, seen, nodes_of_lun), arbitration]
        results += run_system_tests(site, seen)
    selected = [result for result in results if is_selected(result.category, result.name, only)]
    return summarise([*selected, *_unknown_names(results, only if site else ())])


def _unknown_names(results, only):
    """A selection that selects nothing must not look like a test that passed."""
    names = {name for result in results for name in (result.category, result.name)}
    for name in only:
        if name not in names:
            known = ", ".join([*CATEGORIES, *(result.name for result in results)])
            yield Result("selection", name, UNKNOWN, (f"no category and no test has this name; there are {known}",))
