"""The rules that cannot flatter: nothing seen, nothing proven or something crashed is never a PASS."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from holdfast.drill.verdict.checks.clients import check_acknowledged, check_outage, check_reads
from holdfast.drill.verdict.checks.ownership import check_end_owner, check_one_writer, check_resets
from holdfast.drill.verdict.history import Attempt, FaultRecord, FinalRead, History, LunView, NodeSample
from holdfast.drill.verdict.judge import STANDING_CHECKS, judge
from holdfast.drill.verdict.load import load_history, place_crash
from holdfast.drill.verdict.outage import longest_gaps
from holdfast.drill.verdict.result import CheckResult, Judgement, Verdict, worst
from holdfast.drill.verdict.write import junit_document, markdown_document, write_verdict
from tests.unit.drill.mutations import MUTATIONS
from tests.unit.drill.scripts import script_for
from tests.unit.drill.world import START, Recorder, expectation, key

EMPTY = History({}, expectation(), {}, {}, {"node1": 1, "node2": 2}, {})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("evidence")
    Recorder(script_for("owner_crash"), root, pause=0.25).record()
    return root


@pytest.fixture
def history(folder: Path) -> History:
    return load_history(folder)


def attempt(seq: int, end: float, outcome: str = "ok", **changes: object) -> Attempt:
    values = {"worker": "w1", "role": "writer", "seq": seq, "rows": 1, "start": end - 0.01, "end": end,
              "outcome": outcome, **changes}  # fmt: skip
    return Attempt(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], Verdict.UNKNOWN),
        ([Verdict.PASS], Verdict.PASS),
        ([Verdict.PASS, Verdict.UNKNOWN], Verdict.UNKNOWN),
        ([Verdict.UNKNOWN, Verdict.FAIL, Verdict.PASS], Verdict.FAIL),
    ],
)
def test_the_worst_verdict_wins(verdicts: list[Verdict], expected: Verdict) -> None:
    assert worst(verdicts) is expected


@pytest.mark.parametrize("check", STANDING_CHECKS, ids=lambda check: check.__name__)
def test_no_check_passes_on_an_empty_history(check) -> None:  # type: ignore[no-untyped-def]
    """Without any record nothing can be known. With no fault declared and none left there is nothing to be done."""
    expected = {"check_faults", "check_healed"}
    assert (check(EMPTY).verdict is Verdict.PASS) == (check.__name__ in expected)


def test_a_declared_fault_that_was_never_injected_is_unknown() -> None:
    judged = judge(replace(EMPTY, run={"faults_declared": 1}))
    assert judged.of("faults").verdict is Verdict.UNKNOWN
    assert "never injected" in judged.of("faults").summary


def test_a_crashed_check_is_unknown_and_named(history: History) -> None:
    def check_that_crashes(_: History) -> CheckResult:
        raise KeyError("wrong")

    judged = judge(history, [*STANDING_CHECKS, check_that_crashes])
    assert judged.verdict is Verdict.UNKNOWN
    assert "the check crashed: KeyError" in judged.of("that_crashes").summary


@pytest.mark.parametrize(
    "name", ["samples/node-node2.jsonl", "probe/attempts-client1.jsonl", "probe/final-after_restore.json",
             "logs/node1.jsonl", "state/after.json", "samples/address-client1.jsonl", "journal.jsonl"]
)  # fmt: skip
def test_a_lost_file_is_never_a_pass(folder: Path, tmp_path: Path, name: str) -> None:
    for file in folder.rglob("*"):
        if file.is_file() and str(file.relative_to(folder)) != name:
            target = tmp_path / file.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    assert judge(load_history(tmp_path)).verdict is not Verdict.PASS


def test_a_torn_last_line_is_what_a_crash_leaves_and_a_torn_middle_is_lost_evidence(tmp_path: Path) -> None:
    Recorder(script_for("owner_crash"), tmp_path, pause=0.25).record()
    samples = tmp_path / "samples" / "node-node1.jsonl"
    whole = samples.read_text()
    samples.write_text(whole[:-20])
    assert not load_history(tmp_path).lost
    samples.write_text(whole.replace('"mounted"', '"mou', 1))
    assert any("not JSON" in entry for entry in load_history(tmp_path).lost)


def test_outage_is_the_longest_gap_of_the_worst_worker() -> None:
    attempts = [attempt(n, t) for n, t in enumerate([9.0, 10.0, 10.2, 13.0, 13.1, 15.0])]
    attempts += [attempt(n, t, worker="w2") for n, t in enumerate([9.9, 14.5, 15.0])]
    gaps = longest_gaps(attempts, since=10.05, until=15.0)
    assert gaps["w1"] and gaps["w1"].seconds == pytest.approx(2.8)
    assert gaps["w2"] and gaps["w2"].seconds == pytest.approx(4.6)


def test_an_outage_without_recovery_lasts_until_the_end_of_the_observation() -> None:
    gap = longest_gaps([attempt(1, 9.0)], since=10.0, until=40.0)["w1"]
    assert gap and not gap.recovered and gap.seconds == pytest.approx(31.0)


def test_an_outage_without_recovery_fails_even_within_the_limit(history: History) -> None:
    start = history.act_start
    assert start is not None
    quiet = replace(history, attempts=tuple(a for a in history.attempts if a.end < start),
                    expect=replace(history.expect, outage=1e6))  # fmt: skip
    assert check_outage(quiet).verdict is Verdict.FAIL


def test_what_an_act_cut_short_should_have_led_to_is_unknown_and_its_harm_is_not(history: History) -> None:
    def with_act(outcome: str) -> History:
        act = tuple(replace(step, outcome=outcome) if step.phase == "act" else step for step in history.steps)
        expect = replace(history.expect, owner="owner", resets=("standby",))
        return replace(history, steps=act, expect=expect, attempts=tuple(a for a in history.attempts if a.start < history.zero))

    checks = (check_outage, check_end_owner, check_resets)
    wide = {"takeover_seconds": 1000.0, "switchover_seconds": 1000.0}
    for outcome in ("not_run", "error"):
        cut = replace(with_act(outcome), objectives=wide)
        assert {check(cut).verdict for check in checks[:2]} == {Verdict.UNKNOWN}
        assert check_resets(replace(cut, expect=replace(cut.expect, may_reset=("all_nodes",)))).verdict is Verdict.UNKNOWN
        assert check_outage(replace(cut, objectives=dict.fromkeys(wide, 0.1))).verdict is Verdict.FAIL
        assert check_resets(replace(cut, expect=replace(cut.expect, resets=(), may_reset=()))).verdict is Verdict.FAIL
    assert {check(replace(with_act("failed"), objectives=wide)).verdict for check in checks} == {Verdict.FAIL}


def test_no_success_before_the_fault_is_unknown(history: History) -> None:
    start = history.act_start
    assert start is not None
    late = replace(history, attempts=tuple(a for a in history.attempts if a.start > start + 4))
    assert check_outage(late).verdict is Verdict.UNKNOWN


def test_a_missing_objective_is_unknown(history: History) -> None:
    assert check_outage(replace(history, objectives={})).verdict is Verdict.UNKNOWN


def reads_of(**rows: dict[int, int]) -> tuple[FinalRead, ...]:
    return tuple(FinalRead(label, 1e12, rows) for label in ("after_act", "after_restore"))


@pytest.mark.parametrize(
    ("attempts", "rows", "verdict"),
    [
        ([attempt(1, 1.0)], {1: 1}, Verdict.PASS),
        ([attempt(1, 1.0)], {}, Verdict.FAIL),
        ([attempt(1, 1.0), attempt(2, 2.0, "indeterminate")], {1: 1, 2: 1}, Verdict.PASS),
        ([attempt(1, 1.0), attempt(2, 2.0, "indeterminate")], {1: 1}, Verdict.PASS),
        ([attempt(1, 1.0), attempt(2, 2.0, "fail")], {1: 1, 2: 1}, Verdict.FAIL),
        ([attempt(1, 1.0)], {1: 1, 7: 1}, Verdict.FAIL),
        ([attempt(1, 1.0, rows=5)], {1: 4}, Verdict.FAIL),
        ([attempt(1, 1.0), attempt(2, 2.0, "indeterminate", rows=5)], {1: 1, 2: 3}, Verdict.FAIL),
        ([attempt(1, 1.0, "indeterminate")], {}, Verdict.UNKNOWN),
    ],
)
def test_acknowledged_transactions(attempts: list[Attempt], rows: dict[int, int], verdict: Verdict) -> None:
    history = replace(EMPTY, attempts=tuple(attempts), finals=reads_of(w1=rows))
    assert check_acknowledged(history).verdict is verdict


def test_a_reader_that_misses_an_acknowledged_row_is_a_stale_read() -> None:
    write = attempt(5, 10.0)
    fresh = attempt(1, 10.2, worker="r1", role="reader", seen={"w1": 5})
    stale = attempt(2, 10.4, worker="r1", role="reader", seen={"w1": 4})
    concurrent = attempt(3, 10.005, worker="r1", role="reader", seen={"w1": 4})
    assert check_reads(replace(EMPTY, attempts=(write, fresh, concurrent))).verdict is Verdict.PASS
    assert check_reads(replace(EMPTY, attempts=(write, fresh, stale))).verdict is Verdict.FAIL


def test_clocks_of_hosts_are_put_on_the_axis_of_the_controller(folder: Path, tmp_path: Path) -> None:
    Recorder(script_for("owner_crash"), tmp_path, pause=0.25).record()
    run = json.loads((tmp_path / "run.json").read_text())
    run["clocks"] = {"node2": {"offset_seconds": 2.5}}
    (tmp_path / "run.json").write_text(json.dumps(run))
    first = min(s.time for s in load_history(tmp_path).samples if s.node == "node2")
    assert first == pytest.approx(START - 2.5)


def test_a_host_whose_clock_is_moved_is_placed_by_its_monotonic_clock(tmp_path: Path) -> None:
    Recorder(script_for("clock_jump_forward"), tmp_path, pause=0.25).record()
    file = tmp_path / "samples" / "node-node1.jsonl"
    records = [json.loads(line) for line in file.read_text().splitlines()]
    for record in records:
        record["t_wall"] += 3600 if record["t_mono"] > 10 else 0
    file.write_text("\n".join(map(json.dumps, records)))
    times = [s.time for s in load_history(tmp_path).samples if s.node == "node1"]
    assert max(times) - min(times) < 60
    assert judge(load_history(tmp_path)).verdict is Verdict.PASS


def test_the_written_forms_agree(folder: Path, history: History, tmp_path: Path) -> None:
    judged = judge(replace(history, faults=()))
    write_verdict(tmp_path, history, judged)
    document = json.loads((tmp_path / "verdict.json").read_text())
    suite = ElementTree.fromstring((tmp_path / "junit.xml").read_text().split("\n", 1)[1])
    assert document["verdict"] == "UNKNOWN"
    assert suite.get("errors") == "1" and suite.get("failures") == "0"
    assert suite.get("tests") == str(len(STANDING_CHECKS))
    assert (tmp_path / "summary.md").read_text().startswith("# UNKNOWN: The owner crashes")


def test_a_crash_is_placed_at_the_last_sign_of_life() -> None:
    """Ansible notices that a host is gone many seconds after it is gone."""
    def sample(at: float) -> NodeSample:
        return NodeSample("node1", at, "a", True, frozenset(), {})

    samples = [sample(t / 4) for t in range(48)] + [sample(40.0)]
    crash = FaultRecord("c", "node_crash", "owner", "node1", 25.0, True, takes_node_down=True, announced=10.0)
    assert place_crash(crash, samples).injected == 11.75
    assert place_crash(replace(crash, announced=None), samples).injected == 25.0
    assert place_crash(replace(crash, takes_node_down=False), samples).injected == 25.0
    assert place_crash(replace(crash, announced=13.0), samples).injected == 25.0, "it was gone before"


def test_what_was_expected_because_of_a_fault_is_unknown_without_it(history: History) -> None:
    idle = replace(history, faults=tuple(replace(f, active=False) for f in history.faults))
    stayed = MUTATIONS["no_move"].apply(idle)
    assert judge(stayed).of("end_owner").verdict is Verdict.UNKNOWN
    assert judge(stayed).verdict is Verdict.UNKNOWN
    assert judge(MUTATIONS["lost_row"].apply(stayed)).verdict is Verdict.FAIL


@pytest.mark.parametrize(("ages", "verdict"), [((0.3, 0.3), Verdict.FAIL), ((0.3,), Verdict.PASS), ((0.0,), Verdict.FAIL)])
def test_a_table_older_than_the_mount_proves_no_second_writer(ages: tuple[float, ...], verdict: Verdict) -> None:
    """node1 is off with everything in place; node2 mounts at 10 s. What it was told before is no table of that time."""
    both, own = frozenset({key("node1"), key("node2")}), frozenset({key("node2")})

    def sample(node: str, at: float, keys: frozenset[str], age: float = 0.0) -> NodeSample:
        return NodeSample(node, at, "a", True, frozenset(), {"erp-lock": LunView(keys, None, 2, 2, "", age)})

    late = [sample("node2", 10.0 + 0.5 * n, both, age) for n, age in enumerate(ages)]
    samples = (sample("node1", 9.0, frozenset({key("node1")})), *late, sample("node2", 12.0, own))
    assert check_one_writer(replace(EMPTY, samples=samples)).verdict is verdict


def test_a_mount_without_a_newer_table_of_keys_is_not_judged_by_the_older_ones() -> None:
    """The array's tables stop when node2 has mounted: nobody can say who else could write."""
    table = {"erp-lock": LunView(frozenset({key("node1")}), None, 2, 2, "", 0.0)}
    before = NodeSample("node1", 9.0, "a", False, frozenset(), table)
    blind = [NodeSample("node2", 10.0 + n, "a", True, frozenset(), {}) for n in range(5)]
    assert check_one_writer(replace(EMPTY, samples=(before, *blind[:2]))).verdict is Verdict.PASS
    assert check_one_writer(replace(EMPTY, samples=(before, *blind))).verdict is Verdict.UNKNOWN


def test_what_a_log_line_carries_breaks_neither_the_xml_nor_the_table() -> None:
    nasty = CheckResult("log_scan", "Logs", Verdict.FAIL, "red \x1b[31m | line\nsecond", ("\x00 and \ufffe", "plain"))
    history = replace(EMPTY, run={"started": 0, "ended": 1})
    suite = ElementTree.fromstring(junit_document(history, Judgement((nasty,))).encode())
    failure = suite.find("testcase/failure")
    assert failure is not None and failure.get("message", "").startswith("red \ufffd[31m")
    rows = [line for line in markdown_document(history, Judgement((nasty,))).splitlines() if line.startswith("| Logs")]
    assert rows == ["| Logs | FAIL | red \x1b[31m / line second |"]
