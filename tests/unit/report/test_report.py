"""The page: complete in itself, well-formed, and honest about what it does not know."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from holdfast.drill.verdict.history import FaultRecord, History, LoadSample
from holdfast.drill.verdict.judge import judge
from holdfast.report import story
from holdfast.report.drawing import Scale, draw_timeline
from holdfast.report.lanes import address_lane, buckets, fault_lanes, join_runs, node_lane, reservation_lane
from holdfast.report.render import render_report
from tests.unit.drill.mutations import MUTATIONS
from tests.unit.drill.world import START, expectation
from tests.unit.report.sample import write_sample

EMPTY = History({"git": {"revision": ""}}, expectation(), {}, {}, {"node1": 1, "node2": 2}, {})


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, History]:
    root = tmp_path_factory.mktemp("crash")
    return root, write_sample("owner_crash", root, pause=0.2)[0]


class Balance(HTMLParser):
    """Every element that is opened is closed, in order."""

    VOID = ("meta", "br", "img", "link", "input")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_one_file_that_loads_nothing(crash: tuple[Path, History]) -> None:
    page = (crash[0] / "report.html").read_text()
    assert not re.search(r"""(src|href)\s*=|url\(|@import|https?://""", page)
    assert "<script" not in page
    checker = Balance()
    checker.feed(page)
    assert not checker.open


def test_the_headline_gives_outage_limit_and_loss(crash: tuple[Path, History]) -> None:
    page = (crash[0] / "report.html").read_text()
    assert re.search(r"Clients were without service for [23]\.\d s; 5 s are allowed\. Not one of", page)
    assert "node1 → node2 → node1" in page


@pytest.mark.parametrize(("mutation", "words"), [
    ("two_writers", "Two nodes could write to the same data"),
    ("inactive_fault", "This run proves nothing either way. The fault is not proven to have been active"),
    ("lost_row", "Confirmed transactions are missing or wrong: 1 of"),
])  # fmt: skip
def test_a_broken_run_says_so_in_its_first_sentence(crash: tuple[Path, History], mutation: str, words: str) -> None:
    history = MUTATIONS[mutation].apply(crash[1])
    judgement = judge(history)
    page = render_report(history, judgement, [])
    assert words in story.headline(history, judgement)
    assert f"> {judgement.verdict.value}</span>" not in page[:200]
    assert "Findings" in page


def test_text_of_the_evidence_cannot_break_the_page(crash: tuple[Path, History]) -> None:
    history = crash[1]
    nasty = replace(history.log[0], text="</pre><script>alert(1)</script>", time=START + 10.5)
    event = replace(history.events[0], state="<b>x</b>", time=START + 10)
    page = render_report(replace(history, log=(nasty,), events=(event,)), judge(history), [])
    assert "<script" not in page and "<b>x</b>" not in page


def test_a_stranger_reads_what_was_broken_and_what_a_lane_shows(crash: tuple[Path, History]) -> None:
    """On paper nobody can point at anything."""
    page = (crash[0] / "report.html").read_text()
    assert ">node crash at node1</b>: The kernel restarts at once, without syncing or stopping anything" in page
    for words in ("who answers for it", "who holds the disks", "state of its agent", "until it was undone"):
        assert f">{words}</text>" in page


@pytest.mark.parametrize(("mutation", "value"), [
    (None, "proven"), ("second_address", "violated"), ("fence_off", "violated"), ("path_untried", "not proven")])
def test_the_tile_of_the_first_promise_is_red_for_each_way_to_break_it(
    crash: tuple[Path, History], mutation: str | None, value: str
) -> None:
    history = MUTATIONS[mutation].apply(crash[1]) if mutation else crash[1]
    assert story.single_tile(judge(history)).value == value


@pytest.mark.parametrize(("outage", "words"), [("takeover", "objective 5 s"), ("none", "limit of this drill 1 s"),
                                               (20.0, "limit of this drill 20 s"), ("any", "no limit asked for")])  # fmt: skip
def test_only_the_package_s_own_limits_are_called_its_objective(
    crash: tuple[Path, History], outage: str | float, words: str
) -> None:
    history = replace(crash[1], expect=replace(crash[1].expect, outage=outage))
    assert story.tiles(history, judge(history))[0].detail == words


def test_the_load_is_a_line_that_breaks_where_it_was_silent(crash: tuple[Path, History]) -> None:
    history = replace(crash[1], run={**crash[1].run, "load": {"tool": "pgbench", "clients": 4, "rate": 0.0}},
                      load=tuple(LoadSample(START + t, 100.0) for t in (5, 6, 7, 8, 9, 14, 15)))  # fmt: skip
    page = render_report(history, judge(history), [])
    assert ">Load</text>" in page and "pgbench with 4 connections" in page and "as fast as the database answers" in page
    svg = draw_timeline(Scale(START, START + 60, START), [], [], None, "x", history.load)
    (path,) = re.findall(r'class="latency" d="([^"]*)"', svg)
    assert (path.count("M"), path.count("L")) == (2, 5)


def test_every_headline_for_a_failed_check_exists(crash: tuple[Path, History]) -> None:
    assert {m.check for m in MUTATIONS.values() if m.verdict.value == "FAIL"} <= set(story.FAILED)


def test_runs_of_equal_points_become_one_segment() -> None:
    found = join_runs([(0, "a", "k"), (1, "a", "k"), (2, "", "k"), (3, "b", "k")], 5)
    assert [(s.start, s.end, s.label) for s in found] == [(0, 2, "a"), (3, 5, "b")]


def test_lanes_follow_the_package(crash: tuple[Path, History]) -> None:
    _, history = crash
    end = START + 60
    assert [s.label for s in address_lane(history, end).segments] == ["node1", "node2", "node1"]
    assert [s.label for s in reservation_lane(history, end).segments] == ["node1", "node2", "node1"]
    states = [s.label for s in node_lane(history, "node1", end).segments]
    assert states == ["owner", "no sign of life", "standby", "owner"]
    states = [s.label for s in node_lane(history, "node2", end).segments]
    assert states == ["standby", "challenging", "starting", "owner", "standby"]


def test_faults_at_the_same_time_do_not_cover_each_other(crash: tuple[Path, History]) -> None:
    faults = tuple(FaultRecord(str(n), "network_drop", "owner", f"node{n}", float(n), True, healed=healed)
                   for n, healed in ((1, 5.0), (2, 4.0), (6, 7.0)))  # fmt: skip
    lanes = fault_lanes(replace(crash[1], faults=faults), 10)
    assert [[s.label[-5:] for s in lane.segments] for lane in lanes] == [["node1", "node6"], ["node2"]]
    assert [lane.name for lane in lanes] == ["Fault", ""]


def test_attempts_are_counted_in_their_slice(crash: tuple[Path, History]) -> None:
    found = buckets(crash[1].attempts, START + 9, START + 15, 6)
    assert found[0].good > 0 and found[0].bad == 0
    assert found[2].good == 0 and found[2].bad > 0


def test_the_axis_has_round_steps_and_the_picture_is_well_formed(crash: tuple[Path, History]) -> None:
    scale = Scale(START, START + 60, START + 10)
    assert scale.ticks()[0] == -10 and 0 in scale.ticks()
    lane = address_lane(crash[1], START + 60)
    svg = draw_timeline(scale, [lane], buckets(crash[1].attempts, START, START + 60, 50), None, "a < b")
    assert ElementTree.fromstring(svg).get("aria-label") == "a < b"


def test_the_budget_is_the_agents_own_beside_what_clients_saw(crash: tuple[Path, History]) -> None:
    budget = story.budget(crash[1])
    assert budget is not None and budget.client_seconds is not None
    assert budget.client_seconds >= budget.agent_seconds
    assert all(0 < part.percent <= 100 for part in budget.parts)


def test_a_run_that_recorded_nothing_still_gets_a_page() -> None:
    run = {"title": "t", "runbook": "r", "cluster": "c", "package": "p", "purpose": "", "started": START,
           "ended": START + 1, "user": "u", "controller": "c", "command_line": [], "git": {"revision": "", "dirty": 0},
           "digest": "", "roles": {}, "versions": {},
           "probe": {"writers": 0, "readers": 0, "connect_timeout_seconds": 0, "statement_timeout_seconds": 0}}  # fmt: skip
    history = replace(EMPTY, run=run)
    page = render_report(history, judge(history), [])
    assert "This run proves nothing either way" in page
