"""For every runbook: a healthy run is green, and each break that it must notice is noticed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from holdfast.drill.verdict.history import History
from holdfast.drill.verdict.judge import judge
from holdfast.drill.verdict.load import load_history
from holdfast.drill.verdict.result import Verdict
from tests.unit.drill.mutations import MUTATIONS
from tests.unit.drill.scripts import catalogue, script_for
from tests.unit.drill.world import Recorder

NAMES = sorted(catalogue().runbooks)


@cache
def healthy(name: str) -> History:
    with TemporaryDirectory() as folder:
        Recorder(script_for(name), Path(folder), pause=0.25).record()
        return load_history(Path(folder))


@pytest.mark.parametrize("name", NAMES)
def test_a_healthy_run_passes(name: str) -> None:
    judgement = judge(healthy(name))
    bad = [(c.name, c.summary) for c in judgement.checks if c.verdict is not Verdict.PASS]
    assert not bad


@pytest.mark.parametrize(("name", "mutation"), [(n, m) for n in NAMES for m in catalogue().runbooks[n].must_catch])
def test_a_deliberate_break_is_noticed(name: str, mutation: str) -> None:
    broken = MUTATIONS[mutation]
    judgement = judge(broken.apply(healthy(name)))
    assert judgement.of(broken.check).verdict is broken.verdict, judgement.of(broken.check)
    assert judgement.verdict is broken.verdict, [c for c in judgement.checks if c.verdict is not Verdict.PASS]


def test_every_break_is_used_by_some_runbook() -> None:
    used = {m for runbook in catalogue().runbooks.values() for m in runbook.must_catch}
    assert used == set(MUTATIONS)
