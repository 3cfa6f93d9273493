"""The course of a campaign on a site without machines: rounds, stop, pause, resume."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from holdfast.drill.campaign.checks import windows
from holdfast.drill.campaign.describe import Settings, describe_rounds, split_entries
from holdfast.drill.campaign.draw import Draw, Entry, Round, draw_rounds, load_entries
from holdfast.drill.campaign.driver import Campaign
from holdfast.drill.campaign.figures import round_figures
from holdfast.drill.campaign.rounds import Leg, count_proven, read_legs, read_rounds
from holdfast.drill.campaign.service import missing
from holdfast.drill.conditions import NodeSeen, Seen
from holdfast.drill.evidence import SUBFOLDERS
from holdfast.drill.journal import Journal
from holdfast.drill.plan import bind_roles
from holdfast.drill.resuming import read_remains
from holdfast.drill.verdict.load import load_history
from holdfast.drill.verdict.result import Verdict
from holdfast.report.course import look_of
from tests.unit.drill.fake_site import (
    CalmProbe,
    FakeCluster,
    FakeDeadman,
    FakeModules,
    FakeObservers,
    FakePower,
    FakeShell,
    journal_of,
)
from tests.unit.drill.scripts import catalogue
from tests.unit.drill.site_view import view

pytestmark = pytest.mark.usefixtures("impatient")
CRASH, CUT = Round(1, (Draw("owner_crash"),), 0.0, 1), Round(2, (Draw("heartbeat_cut"),), 0.0, 1)


def build(folder: Path, cluster: FakeCluster, rounds: list[Round], answer: str | None = "yes", **words: Any) -> Campaign:
    for name in SUBFOLDERS:
        (folder / name).mkdir(exist_ok=True)
    site = view()
    settings = Settings(1, words.pop("faults", 2), words.pop("limit", 0.3), words.pop("every", 10), words.pop("minutes", None))
    campaign = Campaign(
        site, bind_roles(site, "node1"), folder, folder, FakeShell(cluster), FakeModules(cluster), FakePower(cluster),
        FakeDeadman(), Journal(folder / "journal.jsonl"), FakeObservers(cluster, folder), lambda question: answer,
        rounds=iter(rounds), runbooks=catalogue().runbooks, settings=settings, **words,
    )  # type: ignore[arg-type]  # fmt: skip
    campaign.probe = CalmProbe(campaign.shell, site, "client1", folder.name)
    return campaign


def ends(folder: Path) -> list[tuple[int, str]]:
    return [(e["serial"], e["outcome"]) for e in journal_of(folder, "round") if e["event"] == "end"]


def test_rounds_are_played_until_enough_faults_were_proven(tmp_path: Path) -> None:
    cluster = FakeCluster()
    judgement = build(tmp_path, cluster, [CRASH, CUT, CRASH]).execute()
    assert ends(tmp_path) == [(1, "ok"), (2, "ok")]
    assert judgement.of("service").verdict is Verdict.PASS
    assert judgement.of("faults").verdict is Verdict.PASS
    assert judgement.verdict is Verdict.UNKNOWN, "there was no real client"
    assert {f.name for f in tmp_path.iterdir()} >= {"report.html", "verdict.json", "campaign.json", "junit.xml", "summary.md"}


def test_roles_are_those_of_the_moment(tmp_path: Path) -> None:
    build(tmp_path, FakeCluster(), [CRASH, CRASH]).execute()
    hosts = [entry["host"] for entry in journal_of(tmp_path, "fault")]
    assert hosts == ["node1", "node2"]


def test_the_package_goes_home_at_the_end(tmp_path: Path) -> None:
    cluster = FakeCluster()
    build(tmp_path, cluster, [CRASH], faults=1).execute()
    assert cluster.owner == "node1"


def test_a_campaign_stops_where_the_cluster_does_not_come_back(tmp_path: Path) -> None:
    cluster = FakeCluster()
    campaign = build(tmp_path, cluster, [CUT, CRASH, CUT], faults=9)
    played = campaign.actions.seen

    def sick(waited: float, step: Any = None) -> Seen:
        seen = played(waited, step)
        return Seen({**seen.nodes, "node2": NodeSeen(False)}, seen.probe, 9) if campaign.serial == 2 else seen

    campaign.actions.seen = sick  # type: ignore[method-assign]
    judgement = campaign.execute()
    assert ends(tmp_path) == [(1, "ok"), (2, "failed")]
    assert judgement.of("service").verdict is Verdict.FAIL
    assert "node2 not reachable" in judgement.of("service").summary
    assert not campaign.faults.active


def test_a_host_that_is_gone_for_another_reason_makes_no_fault(tmp_path: Path) -> None:
    cluster = FakeCluster()
    campaign = build(tmp_path, cluster, [CUT, CUT], faults=1)
    module = campaign.modules._fault  # type: ignore[attr-defined]

    def unreachable_once(host: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments["id"].startswith("r001") and arguments["state"] == "injected":
            return {"unreachable": True}
        return module(host, arguments)  # type: ignore[no-any-return]

    campaign.modules._fault = unreachable_once  # type: ignore[attr-defined]
    judgement = campaign.execute()
    assert ends(tmp_path) == [(1, "ok"), (2, "ok")]
    assert any("cannot be reached" in line for line in judgement.of("faults").findings)


def test_a_person_may_say_no_before_any_round(tmp_path: Path) -> None:
    judgement = build(tmp_path, FakeCluster(), [CRASH], answer="no", step_by_step=True).execute()
    assert not journal_of(tmp_path, "fault")
    assert judgement.verdict is Verdict.UNKNOWN


def test_failures_are_forgotten_after_each_round(tmp_path: Path) -> None:
    cluster = FakeCluster()
    build(tmp_path, cluster, [CUT], faults=1).execute()
    assert sum("forget-failures" in line for line in cluster.asked) == 2 * 2, "two nodes, after the round and at the end"


def test_a_checkpoint_stops_a_campaign_whose_invariants_are_broken(tmp_path: Path) -> None:
    cluster = FakeCluster()
    campaign = build(tmp_path, cluster, [CUT, CUT, CUT], faults=3, every=1)
    campaign.modules._one = lambda host, module, arguments: (  # type: ignore[attr-defined]
        {"tries": [{"lun": "erp-data", "path": "/dev/sdb", "refused": False, "error": ""}]}
        if module.endswith("fault_write_info") else campaign.modules._fault(host, arguments))  # type: ignore[attr-defined]
    judgement = campaign.execute()
    assert ends(tmp_path) == [(1, "ok")]
    assert judgement.of("writes_refused").verdict is Verdict.FAIL


def test_a_pause_leaves_the_rest_for_the_next_leg(tmp_path: Path) -> None:
    cluster = FakeCluster()
    judgement = build(tmp_path, cluster, [CRASH, CUT], minutes=0.0).execute()
    assert ends(tmp_path) == [(1, "ok")]
    assert cluster.owner == "node2", "a pause moves nothing"
    assert judgement.verdict is Verdict.UNKNOWN
    build(tmp_path, cluster, [CRASH, CUT]).resume(read_remains(tmp_path))
    assert ends(tmp_path) == [(1, "ok"), (2, "ok")]
    assert cluster.owner == "node1"
    assert [leg.number for leg in read_legs(journal_lines(tmp_path))] == [1, 2]


def journal_lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]


def test_a_controller_that_dies_leaves_a_round_that_is_played_again(tmp_path: Path) -> None:
    cluster = FakeCluster()
    plan = [Round(1, CUT.draws, 0.0, 1), Round(2, CRASH.draws, 0.0, 1)]
    dying = build(tmp_path, cluster, plan)

    def die() -> None:
        raise SystemExit

    dying.heal = die  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        dying.execute()
    lines = (tmp_path / "journal.jsonl").read_text().splitlines()
    cut = next(i for i, line in enumerate(lines) if json.loads(line)["kind"] == "fault")
    (tmp_path / "journal.jsonl").write_text("\n".join(lines[: cut + 1]) + '\n{"t_wall": 1')  # torn in the middle of a line
    assert cluster.active
    judgement = build(tmp_path, cluster, plan).resume(read_remains(tmp_path))
    assert not any(name.startswith("r001") for name in cluster.active)
    played = read_rounds(journal_lines(tmp_path))
    assert [(r.number, r.outcome) for r in played] == [(1, "cut off"), (1, "ok"), (2, "ok")]
    assert judgement.of("faults").measured == 2
    assert "was cut off and played again" in judgement.of("service").findings[0]
    page = (tmp_path / "report.html").read_text()
    assert "cut off with its controller" in page
    assert look_of(round_figures(windows(load_history(tmp_path), played))[0]) == "cut"


def entry(kind: str, at: float, **words: Any) -> dict[str, Any]:
    return {"kind": kind, "t_wall": at, **words}


def test_legs_without_an_end_last_until_the_last_word() -> None:
    journal = [entry("leg", 1, event="start", number=1), entry("note", 5), entry("resumed", 20),
               entry("leg", 22, event="start", number=2), entry("leg", 30, event="end", number=2)]  # fmt: skip
    assert read_legs(journal) == [Leg(1, 1, 5), Leg(2, 22, 30)]
    assert read_legs(journal[:2]) == [Leg(1, 1, 5)]


def test_only_proven_faults_of_whole_rounds_count() -> None:
    journal = [entry("round", 1, event="end", serial=1), entry("fault", 1, id="r001_a", active=True),
               entry("fault", 1, id="r001_b", active=None), entry("proof", 1, id="r001_b", active=True),
               entry("fault", 1, id="r001_c", active=False), entry("fault", 1, id="r002_a", active=True)]  # fmt: skip
    assert count_proven(journal) == 2


def standing(**changes: NodeSeen) -> Seen:
    def node(state: str) -> NodeSeen:
        lun = {"paths": 2, "registered": 2 if state == "owner" else 0, "error": "", "paths_expected": 2}
        return NodeSeen(True, {"packages": {"erp": {"state": state, "reason": "why"}}},
                        {"state": {"packages": {"erp": {"luns": {"erp-data": lun}}}}})  # fmt: skip

    nodes = {"node1": node("owner"), "node2": node("standby"), **changes}
    return Seen(nodes, {"waits": {"w1": 0.1}}, 9.0)


def failed_node() -> NodeSeen:
    return NodeSeen(True, {"packages": {"erp": {"state": "failed", "reason": "8 moves"}}}, {"state": {"packages": {}}})


@pytest.mark.parametrize(("seen", "words"), [
    (standing(), ""),
    (standing(node2=NodeSeen(False)), "node2 not reachable"),
    (standing(node2=failed_node()), "node2 failed (8 moves)"),
    (standing(node1=failed_node()), "0 owners"),
    (Seen(standing().nodes, {"waits": {"w1": 5.0}}, 9.0), "without error for 9.0 s"),
    (Seen(standing().nodes, {"waits": {"w1": 0.1}}, 0.5), "without error for 0.5 s"),
])
def test_what_is_missing_for_service(seen: Seen, words: str) -> None:
    found = missing(view(), seen)
    assert found == words if not words else words in found


def test_the_plan_names_every_round_and_what_is_not_drawn() -> None:
    entries, excluded = split_entries([Entry("a", 1), Entry("owner_crash", 1)], {"a": ["needs power"]})
    rounds: Iterator[Round] = draw_rounds(1, load_entries(), catalogue().runbooks)
    text = describe_rounds(list(islice(rounds, 5)), excluded, view(), Settings(1, 5))
    assert [e.runbook for e in entries] == ["owner_crash"]
    assert "owner_shutdown, undone after 13.5 s" in text
    assert "not drawn here: a: needs power" in text
