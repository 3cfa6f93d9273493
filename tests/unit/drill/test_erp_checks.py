"""Orders of the ERP: a lost, broken or doubled one is a FAIL, nothing seen is UNKNOWN, and a late server is late."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.drill.verdict.checks.erp import check_erp_orders, check_erp_outage
from holdfast.drill.verdict.erp_record import ErpFinal, ErpOrder, ErpRecord, FoundOrder
from holdfast.drill.verdict.history import Attempt, History
from holdfast.drill.verdict.judge import judge
from holdfast.drill.verdict.load import load_history
from holdfast.drill.verdict.result import Verdict
from holdfast.report.story import headline, tiles
from tests.unit.drill.scripts import script_for
from tests.unit.drill.world import START, Recorder

SERVERS = {"servers": [{"name": "outside", "beyond_database_seconds": 1.5}]}
PERIOD = 0.5


def call(number: int, end: float, outcome: str = "ok") -> Attempt:
    return Attempt("outside", "writer", number, 0, end - 0.1, end, outcome, "confirm")


def order(number: int, end: float, outcome: str = "ok") -> ErpOrder:
    return ErpOrder("outside", number, end - 0.4, end, outcome, "8.5", 2, 5)


def record(gap_until: float) -> ErpRecord:
    """A user who gets an answer every half second, and none from 10 s after the start until `gap_until`."""
    ends = [START + 3 + PERIOD * n for n in range(100)]
    heard = [end for end in ends if not START + 10 < end < START + gap_until]
    orders = tuple(order(n, end) for n, end in enumerate(heard))
    found = {o.name: FoundOrder("processing", "8.50", 2, "8.50", 5.0, 1) for o in orders}
    finals = tuple(ErpFinal(label, START + 58, found) for label in ("after_act", "after_restore"))
    return ErpRecord(tuple(call(n, end) for n, end in enumerate(heard)), orders, finals)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    root = tmp_path_factory.mktemp("evidence")
    Recorder(script_for("owner_crash"), root, pause=0.25).record()
    plain = load_history(root)
    return replace(plain, run={**plain.run, "erp": SERVERS}, erp=record(13.5))


def test_a_healthy_run_passes_and_names_both_outages(history: History) -> None:
    judged = judge(history)
    assert judged.of("erp_orders").verdict is Verdict.PASS
    assert "0 lost" in judged.of("erp_orders").summary
    outage = judged.of("erp_outage")
    assert outage.verdict is Verdict.PASS, outage
    assert "beside the database's" in outage.summary
    assert any("first new order confirmed" in finding for finding in outage.findings)


def test_without_an_erp_there_are_no_such_checks(history: History) -> None:
    names = {check.name for check in judge(replace(history, run={**history.run, "erp": None})).checks}
    assert not names & {"erp_orders", "erp_outage"}


def change_found(history: History, change: Callable[[dict[str, FoundOrder]], None]) -> History:
    found = dict(history.erp.finals[0].orders)
    change(found)
    finals = tuple(replace(read, orders=found) for read in history.erp.finals)
    return replace(history, erp=replace(history.erp, finals=finals))


def lost_order(history: History) -> History:
    return change_found(history, lambda found: found.pop("outside/5"))  # type: ignore[arg-type, return-value]


def altered(**words: object) -> Callable[[History], History]:
    def apply(history: History) -> History:
        def change(found: dict[str, FoundOrder]) -> None:
            found["outside/5"] = replace(found["outside/5"], **words)  # type: ignore[arg-type]

        return change_found(history, change)

    return apply


def failed_and_there(history: History) -> History:
    orders = tuple(replace(o, outcome="fail") if o.seq == 5 else o for o in history.erp.orders)
    return replace(history, erp=replace(history.erp, orders=orders))


def nobodys_order(history: History) -> History:
    return change_found(history, lambda found: found.update({"outside/999": found["outside/5"]}))


@pytest.mark.parametrize(
    ("mutation", "words"),
    [
        (lost_order, "1 of"),
        (altered(state="confirmed"), "1 of"),
        (altered(state="cancelled"), "1 of"),
        (altered(rows=1), "1 of"),
        (altered(total="7.50"), "1 of"),
        (altered(lines_total="7.50"), "1 of"),
        (altered(moved=4.0), "1 of"),
        (altered(copies=2), "there 2 times"),
        (failed_and_there, "reported as failed"),
        (nobodys_order, "never placed"),
    ],
)
def test_a_wrong_order_fails_the_drill(history: History, mutation: Callable[[History], History], words: str) -> None:
    judged = judge(mutation(history))
    assert judged.of("erp_orders").verdict is Verdict.FAIL
    assert words in judged.of("erp_orders").summary
    assert judged.verdict is Verdict.FAIL


def test_an_order_with_unknown_outcome_may_be_there_or_not(history: History) -> None:
    orders = tuple(replace(o, outcome="indeterminate") if o.seq == 5 else o for o in history.erp.orders)
    unsure = replace(history, erp=replace(history.erp, orders=orders))
    assert check_erp_orders(unsure).verdict is Verdict.PASS
    assert check_erp_orders(lost_order(unsure)).verdict is Verdict.PASS


def test_an_order_confirmed_after_the_read_is_not_missed_in_it(history: History) -> None:
    early = tuple(replace(read, time=START + 5, orders={}) for read in history.erp.finals)
    late = tuple(o for o in history.erp.orders if o.end > START + 5)
    assert check_erp_orders(replace(history, erp=ErpRecord(history.erp.calls, late, early))).verdict is Verdict.PASS


@pytest.mark.parametrize("part", ["calls", "orders", "finals"])
def test_nothing_seen_is_unknown(history: History, part: str) -> None:
    judged = judge(replace(history, erp=replace(history.erp, **{part: ()})))
    assert judged.of("erp_outage" if part == "calls" else "erp_orders").verdict is Verdict.UNKNOWN
    assert judged.verdict is not Verdict.PASS


def test_one_final_read_is_not_enough(history: History) -> None:
    assert check_erp_orders(replace(history, erp=replace(history.erp, finals=history.erp.finals[:1]))).verdict is Verdict.UNKNOWN


def test_a_server_that_never_answered_before_the_fault_is_unknown(history: History) -> None:
    two = {"servers": [*SERVERS["servers"], {"name": "inside", "beyond_database_seconds": 1.5}]}
    result = check_erp_outage(replace(history, run={**history.run, "erp": two}))
    assert result.verdict is Verdict.UNKNOWN and "inside" in result.summary


def test_a_server_that_comes_back_late_or_not_at_all_fails(history: History) -> None:
    assert check_erp_outage(replace(history, erp=record(15.5))).verdict is Verdict.FAIL
    never = check_erp_outage(replace(history, erp=record(1e6)))
    assert never.verdict is Verdict.FAIL and "no success any more" in never.summary


def test_the_outage_is_measured_beside_the_database(history: History) -> None:
    unknown = replace(history, attempts=())
    assert check_erp_outage(unknown).verdict is Verdict.UNKNOWN


def test_the_record_is_read_from_the_evidence_folder(tmp_path: Path) -> None:
    Recorder(script_for("owner_crash"), tmp_path, pause=0.25).record()
    run = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps({**run, "erp": SERVERS, "clocks": {"client1": {"offset_seconds": 1.0}}}))
    assert any(lost.startswith("erp/") for lost in load_history(tmp_path).lost)
    base = {"client": "client1", "worker": "outside", "seq": 1, "t_wall": START + 3, "t_mono": 1.0, "seconds": 0.5}
    lines = [{**base, "kind": "call", "call": "confirm", "outcome": "ok"},
             {**base, "kind": "order", "outcome": "ok", "total": "8.5", "rows": 2, "quantity": 5}]  # fmt: skip
    folder = tmp_path / "erp"
    folder.mkdir()
    (folder / "attempts-client1.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = {"outside/1": {"state": "processing", "total": "8.50", "rows": 2, "lines_total": "8.50", "moved": 5.0, "copies": 1}}
    for label in ("after_act", "after_restore"):
        document = {"label": label, "client": "client1", "t_wall": START + 58, "t_mono": 2, "processed_again": 1, "orders": found}
        (folder / f"final-{label}.json").write_text(json.dumps(document))
    history = load_history(tmp_path)
    assert history.erp.calls[0].end == pytest.approx(START + 2.5)
    assert history.erp.orders[0].name == "outside/1" and len(history.erp.finals) == 2
    assert "2 had to be processed again" in check_erp_orders(history).summary


def test_the_report_names_the_orders(history: History) -> None:
    titles = {tile.title: tile for tile in tiles(history, judge(history))}
    assert titles["ERP orders lost"].value == "0" and titles["ERP orders lost"].good
    broken = lost_order(history)
    assert not {tile.title: tile for tile in tiles(broken, judge(broken))}["ERP orders lost"].good
    assert "Confirmed orders of the ERP are missing" in headline(broken, judge(broken))
