"""The verdict of a campaign: a healthy one passes, and every break is noticed."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import pytest

from holdfast.drill.campaign.checks import check_faults, check_observed, check_service, judge_campaign, merged, windows
from holdfast.drill.campaign.figures import by_kind, percentile, round_figures
from holdfast.drill.campaign.rounds import Leg, PlayedRound
from holdfast.drill.campaign.write import Outcome, campaign_document, junit_document, markdown_document, verdict_document
from holdfast.drill.verdict.history import History
from holdfast.drill.verdict.load import load_history
from holdfast.drill.verdict.result import Verdict
from holdfast.report.campaign import headline, write_campaign_report
from tests.unit.drill.mutations import MUTATIONS
from tests.unit.drill.scripts import catalogue, script_for
from tests.unit.drill.world import START, Recorder

RUNBOOKS = catalogue().runbooks
ROLES = {"owner": "node1", "standby": "node2", "array": "san1", "client": "client1"}
LEGS = [Leg(1, START + 1, START + 59)]


def played(number: int = 1, started: float = 9.0, ended: float | None = 40.0, **changes: object) -> PlayedRound:
    entry = PlayedRound(number, number, ("owner_crash",), ROLES, 5.0, START + started, (RUNBOOKS["owner_crash"].expect,),
                        START + ended if ended else None, "ok", "", 12.0)  # fmt: skip
    return replace(entry, **changes)  # type: ignore[arg-type]


@cache
def healthy() -> History:
    """One round with one crash, out of the simulated cluster."""
    with TemporaryDirectory() as folder:
        Recorder(script_for("owner_crash"), Path(folder), pause=0.25).record()
        found = load_history(Path(folder))
    run = {**found.run, "campaign": {"faults": 1, "seed": 5, "limit_seconds": 300}, "title": "Campaign of 1 random faults"}
    return replace(found, run=run, faults=tuple(replace(f, id=f"r001_owner_crash_{f.id}") for f in found.faults))


def outcome(history: History | None = None, rounds: tuple[PlayedRound, ...] = (played(),)) -> Outcome:
    history = history or healthy()
    figures = round_figures(windows(history, rounds))
    return Outcome(history, judge_campaign(history, rounds, LEGS), figures, by_kind(figures), LEGS)


def test_a_healthy_campaign_passes() -> None:
    bad = [(c.name, c.summary) for c in outcome().judgement.checks if c.verdict is not Verdict.PASS]
    assert not bad


@pytest.mark.parametrize("name", ["lost_row", "two_writers", "second_address", "address_not_following", "fence_off",
                                  "path_unregistered", "inactive_fault", "leftover_state"])
def test_a_deliberate_break_is_noticed(name: str) -> None:
    broken = MUTATIONS[name]
    judgement = outcome(broken.apply(healthy())).judgement
    assert judgement.of(broken.check).verdict is broken.verdict, judgement.of(broken.check)
    assert judgement.verdict is broken.verdict


def test_an_outage_above_the_limit_is_shown_and_not_judged() -> None:
    found = outcome(MUTATIONS["slow_outage"].apply(healthy()), (played(ended=700.0),))
    assert found.rounds[0].over
    assert found.kinds[0].over == 1
    assert "outage" not in [check.name for check in found.judgement.checks]


@pytest.mark.parametrize(("outcome_word", "verdict"), [("failed", Verdict.FAIL), ("error", Verdict.UNKNOWN)])
def test_a_round_after_which_there_is_no_service(outcome_word: str, verdict: Verdict) -> None:
    rounds = [played(), played(2, outcome=outcome_word, detail="no owner", service_seconds=None)]
    check = check_service(rounds)
    assert check.verdict is verdict
    assert "round 2 (owner_crash): no owner" in check.summary


def test_no_round_is_unknown() -> None:
    assert check_service([]).verdict is Verdict.UNKNOWN
    assert judge_campaign(healthy(), [], []).verdict is Verdict.UNKNOWN


def test_a_round_that_was_cut_off_is_named_and_not_held_against_the_cluster() -> None:
    check = check_service([played(ended=None, outcome="cut off", service_seconds=None), played(2)])
    assert check.verdict is Verdict.PASS
    assert "was cut off and played again" in check.findings[0]


def test_fewer_faults_than_asked_for_prove_nothing_yet() -> None:
    history = replace(healthy(), run={**healthy().run, "campaign": {"faults": 200}})
    assert check_faults(history, [played()]).verdict is Verdict.UNKNOWN
    assert check_faults(history, [played()]).summary == "1 proven of 200 wanted"


def test_a_fault_that_could_not_be_injected_is_named() -> None:
    many = tuple(replace(healthy().faults[0], id=f"r001_x{n}") for n in range(20))
    history = replace(healthy(), faults=many)
    check = check_faults(history, [played(not_injected=("path_cut: node1 cannot be reached",))])
    assert check.verdict is Verdict.PASS
    assert "not injected: path_cut: node1 cannot be reached" in check.findings[0]
    worse = check_faults(history, [played(not_injected=("x",) * 5)])
    assert worse.verdict is Verdict.UNKNOWN


def test_windows_leave_nothing_out_and_have_nothing_twice() -> None:
    cut = windows(healthy(), [played(1, 9), played(2, 30)])
    assert [w.round.number if w.round else None for w in cut] == [None, 1, 2]
    assert sum(len(w.history.samples) for w in cut) == len(healthy().samples)
    assert sum(len(w.history.address_samples) for w in cut) == len(healthy().address_samples)
    assert [len(w.history.faults) for w in cut] == [0, 1, 0]


def test_two_faults_allow_together_what_each_allows() -> None:
    two = played(expect=(RUNBOOKS["owner_frozen"].expect, RUNBOOKS["standby_crash"].expect))
    found = merged(two, [])
    assert found.address_overlap_seconds == 2
    assert found.outage == "any"
    assert "(?i)reservation conflict" in found.log_patterns_allowed
    assert merged(played(), [two]).log_patterns_allowed[0] == "(?i)reservation conflict"


def test_the_time_between_two_legs_is_named_and_not_called_watched() -> None:
    legs = [Leg(1, START + 1, START + 20), Leg(2, START + 30, START + 59)]
    hole = replace(healthy(), samples=tuple(s for s in healthy().samples if not START + 20 < s.time < START + 30))
    assert check_observed(hole, LEGS).verdict is Verdict.UNKNOWN
    check = check_observed(hole, legs)
    assert check.verdict is Verdict.PASS
    assert check.findings == ("nobody watched for 10 s between leg 1 and leg 2",)


@pytest.mark.parametrize(("values", "share", "expected"), [
    ([3.0], 0.95, 3.0), ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0), (list(range(1, 101)), 0.95, 95), ([5.0, 1.0], 1.0, 5.0)])
def test_percentiles_are_values_that_were_measured(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_every_form_says_the_same(tmp_path: Path) -> None:
    found = outcome()
    assert json.loads(json.dumps(verdict_document(found)))["verdict"] == "PASS"
    (row,) = campaign_document(found)["rounds"]
    assert row["faults_proven"] == ["node_crash at node1"]
    assert row["outage_seconds"] == found.longest
    assert row["restarted"] == ["node1"]
    suite = ElementTree.fromstring(junit_document(found))
    assert (suite.get("failures"), suite.get("errors")) == ("0", "0")
    assert suite.get("tests") == str(len(suite.findall("testcase")))
    assert "| owner_crash | 1 |" in markdown_document(found)
    page = write_campaign_report(tmp_path, found).read_text()
    assert "1 faults in 1 minutes" in page
    assert "src=" not in page and "href=" not in page


def test_a_round_that_was_played_again_is_one_case_in_junit() -> None:
    cut = played(ended=None, outcome="cut off", service_seconds=None)
    again = played(1, 30, 40, serial=2)
    suite = ElementTree.fromstring(junit_document(outcome(rounds=(cut, again))))
    names = [str(case.get("name")) for case in suite.findall("testcase")]
    assert len([name for name in names if name.startswith("round 1")]) == 1


def test_a_campaign_that_is_not_finished_says_so() -> None:
    history = replace(healthy(), run={**healthy().run, "campaign": {"faults": 200}})
    assert headline(outcome(history)).startswith("Not finished: 1 of 200 faults so far, in service again after every one")
    failed = (played(outcome="failed", detail="no owner", service_seconds=None),)
    assert headline(outcome(history, failed)).startswith("The cluster did not come back into service: round 1")
