"""Drills on real nodes: a healthy cluster passes, a broken one does not, and a short campaign comes to its end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.drill.cli import run as run_cli
from holdfast.drill.runbook.catalogue import Catalogue
from holdfast.drill.verdict.result import Judgement, Verdict
from tests.integration.drill.conftest import words
from tests.integration.drill.sabotage import fence_off, lost_row, second_address, unplugged_switch

pytestmark = pytest.mark.lab
Play = Callable[..., Judgement]


# Whether clients waited for longer than is allowed depends on what else the machine does: a benchmark's business.
TIMED = "outage"


def bad(judgement: Judgement) -> list[tuple[str, str, str]]:
    return [(c.name, c.verdict.value, c.summary) for c in judgement.checks if c.verdict is not Verdict.PASS and c.name != TIMED]


@pytest.mark.parametrize("name", ["switchover", "owner_crash", "owner_frozen", "heartbeat_cut"])
def test_a_healthy_cluster_passes(play: Play, name: str) -> None:
    assert bad(play(name)) == []


def test_a_lost_row_and_a_second_address_are_noticed(play: Play) -> None:
    def both(drill) -> None:  # type: ignore[no-untyped-def]
        lost_row(drill)
        second_address(drill)

    judgement = play("switchover", both)
    assert judgement.verdict is Verdict.FAIL
    assert judgement.of("acknowledged").verdict is Verdict.FAIL
    assert judgement.of("acknowledged").measured == 1
    assert judgement.of("one_address").verdict is Verdict.FAIL
    assert judgement.of("address_follows").verdict is Verdict.FAIL


def test_an_array_that_does_not_refuse_is_noticed(play: Play) -> None:
    judgement = play("heartbeat_cut", fence_off)
    assert judgement.verdict is Verdict.FAIL
    assert judgement.of("writes_refused").verdict is Verdict.FAIL
    assert "could write" in judgement.of("writes_refused").summary


def test_a_fault_that_does_nothing_proves_nothing(play: Play) -> None:
    judgement = play("owner_frozen", unplugged_switch)
    assert judgement.of("faults").verdict is Verdict.UNKNOWN
    assert judgement.of("acknowledged").verdict is Verdict.PASS
    assert [name for name, verdict, _ in bad(judgement) if verdict == "FAIL"] == []
    assert judgement.verdict is not Verdict.PASS


def test_a_short_campaign(lab_name: str, catalogue: Catalogue, evidence: Path) -> None:
    arguments = words(lab_name, evidence, verb="campaign", seed=6, faults=6, limit_seconds=300.0, checkpoint_every=3,
                      minutes=None)  # fmt: skip
    assert run_cli(arguments) == 0
    (folder,) = evidence.glob("*-campaign-*")
    assert (folder / "campaign.json").exists()
