"""The phases: their order, that heal always runs, and what is said when something goes wrong on the way."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from holdfast.drill import actions
from holdfast.drill.plan import PHASES
from holdfast.drill.resuming import rebuild_fault
from holdfast.drill.runbook.model import CheckStep, FaultStep, HealStep, QuestionStep, Runbook, Step, WaitStep
from holdfast.drill.verdict.result import Verdict
from tests.unit.drill.fake_site import FakeCluster, FakeModules, build_drill, journal_of
from tests.unit.drill.scripts import catalogue

CRASH = catalogue().runbooks["owner_crash"]
CUT = catalogue().runbooks["client_cut_standby"]
pytestmark = pytest.mark.usefixtures("impatient")


def quick(runbook: Runbook) -> Runbook:
    """The same runbook with waits that end soon."""
    steps = tuple(
        Step(s.name, replace(s.action, timeout_seconds=0.1, seconds=min(s.action.seconds, 0.05)))
        if isinstance(s.action, WaitStep) else s
        for s in runbook.steps
    )  # fmt: skip
    return replace(runbook, steps=steps)


def outcomes(folder: Path, phase: str) -> dict[str, str]:
    ends = [e for e in journal_of(folder, "step") if e["event"] == "end" and e["phase"] == phase]
    return {entry["name"]: entry["outcome"] for entry in ends}


def test_a_drill_runs_all_phases_in_order_and_leaves_its_evidence(tmp_path: Path) -> None:
    cluster = FakeCluster()
    judgement = build_drill(quick(CRASH), cluster, tmp_path).execute()
    assert [e["name"] for e in journal_of(tmp_path, "phase") if e["event"] == "start"] == list(PHASES)
    assert set(outcomes(tmp_path, "act").values()) == {"ok"}, outcomes(tmp_path, "act")
    assert set(outcomes(tmp_path, "steady_after").values()) == {"ok"}, outcomes(tmp_path, "steady_after")
    assert judgement.of("steps").verdict is Verdict.PASS
    assert judgement.of("faults").verdict is Verdict.PASS
    assert judgement.of("writes_refused").verdict is Verdict.PASS
    assert judgement.verdict is Verdict.UNKNOWN, "there was no real client"
    assert {f.name for f in tmp_path.iterdir()} >= {"report.html", "verdict.json", "junit.xml", "summary.md", "run.json"}


def test_the_package_is_moved_back_to_its_first_owner(tmp_path: Path) -> None:
    cluster = FakeCluster()
    build_drill(quick(CRASH), cluster, tmp_path).execute()
    assert cluster.owner == "node1"
    assert any("holdfastctl move erp node1" in line for line in cluster.asked)


def test_drill_after_drill_does_not_use_up_the_package_s_limit_of_moves(tmp_path: Path) -> None:
    cluster = FakeCluster()
    build_drill(quick(CRASH), cluster, tmp_path).execute()
    forgets = [line for line in cluster.asked if "holdfastctl forget-failures erp" in line]
    assert len(forgets) == 2
    assert cluster.asked.index(forgets[-1]) < next(i for i, line in enumerate(cluster.asked) if "holdfastctl move erp" in line)


def test_a_missed_deadline_ends_the_act_and_everything_is_still_undone(tmp_path: Path) -> None:
    cluster = FakeCluster()
    cluster.takes_over = False
    judgement = build_drill(quick(CRASH), cluster, tmp_path).execute()
    found = outcomes(tmp_path, "act")
    assert list(found.values())[:2] == ["ok", "failed"]
    assert set(list(found.values())[2:]) == {"not_run"}
    assert judgement.of("steps").verdict is Verdict.FAIL
    assert judgement.of("healed").verdict is Verdict.PASS


def test_a_fault_is_undone_when_the_step_after_it_breaks(tmp_path: Path) -> None:
    cluster = FakeCluster()
    steps = (CUT.steps[0], Step("ask", QuestionStep("all well?", "yes")))
    build_drill(replace(CUT, steps=steps), cluster, tmp_path, answer="no").execute()
    assert not cluster.active
    assert outcomes(tmp_path, "act")["ask"] == "failed"


def test_nobody_to_ask_is_unknown_and_not_failed(tmp_path: Path) -> None:
    steps = (Step("ask", QuestionStep("all well?", "yes")),)
    judgement = build_drill(replace(CUT, steps=steps), FakeCluster(), tmp_path, answer=None).execute()
    assert judgement.of("steps").verdict is Verdict.UNKNOWN


def test_leftovers_of_an_earlier_drill_stop_this_one_before_it_does_anything(tmp_path: Path) -> None:
    cluster = FakeCluster()
    cluster.leftovers = ["/run/holdfast-fault/split.json"]
    judgement = build_drill(quick(CRASH), cluster, tmp_path).execute()
    assert not any("node_crash" in line or "move" in line for line in cluster.asked)
    assert judgement.of("entrance").verdict is Verdict.UNKNOWN
    assert judgement.verdict is not Verdict.PASS


def test_a_sick_cluster_is_not_drilled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster()
    drill = build_drill(quick(CRASH), cluster, tmp_path)

    def sick(wait: WaitStep) -> None:
        raise actions.StepFailed("the standby is not there")

    monkeypatch.setattr(drill.actions, "wait", sick)
    judgement = drill.execute()
    assert not any("node_crash" in line or "move" in line for line in cluster.asked)
    assert judgement.of("entrance").verdict is Verdict.UNKNOWN


def test_a_power_fault_is_promised_to_the_guard_before_it_is_done(tmp_path: Path) -> None:
    cluster = FakeCluster()
    freeze = FaultStep("freeze", "node_freeze", "standby", {}, 30, "driver")
    drill = build_drill(replace(CUT, steps=(Step("freeze it", freeze),)), cluster, tmp_path)
    judgement = drill.execute()
    assert "node2 power freeze" in cluster.asked and "node2 power thaw" in cluster.asked
    assert not drill.deadman.promises  # type: ignore[attr-defined]
    assert judgement.of("faults").verdict is Verdict.PASS


def test_a_fault_that_did_nothing_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster()
    drill = build_drill(quick(CRASH), cluster, tmp_path)
    monkeypatch.setattr(cluster, "boots", {**cluster.boots})
    inject = drill.modules._fault  # type: ignore[attr-defined]

    def nothing(host: str, arguments: dict[str, object]) -> dict[str, object]:
        if arguments["state"] == "injected":
            return {"fault": {"active": None, "proof": "to be seen from outside", "injected": 1.0}}
        return inject(host, arguments)  # type: ignore[no-any-return]

    monkeypatch.setattr(drill.modules, "_fault", nothing)
    judgement = drill.execute()
    assert next(iter(outcomes(tmp_path, "act").values())) == "error"
    assert judgement.of("faults").verdict is Verdict.UNKNOWN


def test_step_by_step_stops_where_a_person_says_no(tmp_path: Path) -> None:
    cluster = FakeCluster()
    build_drill(quick(CRASH), cluster, tmp_path, answer="no", step_by_step=True).execute()
    assert set(outcomes(tmp_path, "act").values()) == {"not_run"}
    assert not any("node_crash" in line for line in cluster.asked)


def test_an_interrupt_ends_the_act_and_restores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster()
    drill = build_drill(quick(CUT), cluster, tmp_path)

    def interrupted(step: WaitStep) -> None:
        if step.what == "seconds":
            raise KeyboardInterrupt

    monkeypatch.setattr(drill.actions, "wait", interrupted)
    drill.execute()
    assert not cluster.active
    assert "interrupted by a person" in [e["detail"] for e in journal_of(tmp_path, "step") if e["event"] == "end"]


def check_not_moved(cluster: FakeCluster, folder: Path) -> None:
    drill = build_drill(CUT, cluster, folder)
    drill.observers.start_nodes()
    drill.actions.check(CheckStep("not_moved", None))


@pytest.mark.parametrize("state", ["owner", "maintenance", "detached"])
def test_a_package_that_nobody_watches_has_not_moved(state: str, tmp_path: Path) -> None:
    cluster = FakeCluster()
    cluster.owner_state = state
    check_not_moved(cluster, tmp_path)


def test_a_package_on_another_node_has_moved(tmp_path: Path) -> None:
    cluster = FakeCluster()
    cluster.owner, cluster.owner_state = "node2", "maintenance"
    with pytest.raises(actions.StepFailed, match="the package is on node2"):
        check_not_moved(cluster, tmp_path)


def test_a_way_home_is_only_drilled_from_home(tmp_path: Path) -> None:
    runbook = replace(quick(CRASH), entrance=(*CRASH.entrance, "on_preferred_node"))
    drill = build_drill(runbook, FakeCluster(), tmp_path)
    drill.view = replace(drill.view, nodes=("node2", "node1"))
    drill.execute()
    assert outcomes(tmp_path, "steady_before")["package is on its preferred node"] == "failed"
    assert not outcomes(tmp_path, "act")


def test_one_step_on_all_nodes_happens_to_them_at_the_same_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the two waits for the other one to begin: one after the other they would never get through."""
    both = threading.Barrier(2, timeout=10)
    run = FakeModules.run

    def meet(self: FakeModules, hosts: Sequence[str], module: str, arguments: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        if arguments.get("state") == "injected":
            both.wait()
        return run(self, hosts, module, arguments)

    monkeypatch.setattr(FakeModules, "run", meet)
    build_drill(quick(catalogue().runbooks["client_cut_both"]), FakeCluster(), tmp_path).execute()
    assert sum(entry["active"] for entry in journal_of(tmp_path, "fault")) == 2


def test_a_host_in_its_reset_is_asked_again_to_undo_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    run = FakeModules.run

    def reset_once(
        self: FakeModules, hosts: Sequence[str], module: str, arguments: Mapping[str, Any]
    ) -> dict[str, dict[str, Any]]:
        nonlocal asked
        if arguments.get("state") == "healed":
            asked += 1
            if asked == 1:
                return {host: {"unreachable": True} for host in hosts}
        return run(self, hosts, module, arguments)

    monkeypatch.setattr(FakeModules, "run", reset_once)
    runbook = replace(quick(CUT), steps=(CUT.steps[0], Step("It is undone", HealStep("all"))))
    build_drill(runbook, FakeCluster(), tmp_path).execute()
    assert outcomes(tmp_path, "act")["It is undone"] == "ok"


def test_a_fault_that_nothing_ran_into_is_not_proven(tmp_path: Path) -> None:
    """It was active when it was injected; what counts is what had come of it when it was undone."""
    cluster = FakeCluster()
    cluster.effect = {"seen": False, "words": "2 drop filters dropped 0 packets"}
    judgement = build_drill(quick(CUT), cluster, tmp_path).execute()
    assert judgement.of("faults").verdict is Verdict.UNKNOWN
    assert "0 packets" in judgement.of("faults").summary


@pytest.mark.parametrize(("switch", "node", "verdict", "words"), [
    (True, [], Verdict.PASS, "unplug"),
    (False, [], Verdict.UNKNOWN, "was not active"),
    (None, ["NO-CARRIER", "UP"], Verdict.PASS, "eth1 has no carrier"),
    (None, ["LOWER_UP", "UP"], Verdict.UNKNOWN, "node1 still has a carrier on eth1"),
    (None, None, Verdict.UNKNOWN, "did not say"),
])
def test_a_pulled_cable_is_proven_by_the_switch_or_else_by_the_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, switch: bool | None, node: list[str] | None, verdict: Verdict, words: str
) -> None:
    cluster = FakeCluster()
    cluster.cable_is_out = switch
    run = FakeModules.run

    def ask(self: FakeModules, hosts: Sequence[str], module: str, arguments: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        if module != "ansible.builtin.command":
            return run(self, hosts, module, arguments)
        link = {"ifname": "eth1", "flags": node, "addr_info": [{"local": "10.20.0.11"}]}
        return {host: {"unreachable": True} if node is None else {"stdout": json.dumps([link])} for host in hosts}

    monkeypatch.setattr(FakeModules, "run", ask)
    pull = FaultStep("cable", "cable_pull", "owner", {"network": "client"}, 30, "driver")
    judgement = build_drill(replace(CUT, steps=(Step("pull it", pull),)), cluster, tmp_path).execute()
    faults = judgement.of("faults")
    assert (faults.verdict, words in " ".join((faults.summary, *faults.findings))) == (verdict, True), faults
    assert "node1 power plug" in cluster.asked


STOP = catalogue().runbooks["package_stop_start"]
GIVEN_BACK = {"package_stop_start": ["start"], "detach_attach": ["attach"], "maintenance_mode": ["start", "maintenance off"]}


@pytest.mark.parametrize("name", sorted(GIVEN_BACK))
def test_an_act_that_ends_early_leaves_no_package_stopped_or_unwatched(tmp_path: Path, name: str) -> None:
    cluster = FakeCluster()
    runbook = catalogue().runbooks[name]
    broken = (runbook.steps[0], Step("ask", QuestionStep("go on?", "yes")), *runbook.steps[1:])
    build_drill(quick(replace(runbook, steps=broken)), cluster, tmp_path, answer="no").execute()
    given = [line.removeprefix("node1 holdfastctl ") for line in cluster.asked if "node1 holdfastctl" in line]
    expected = [f"{verb} erp --json" for verb in GIVEN_BACK[name]]
    assert [line for line in given if line in expected] == expected
    assert outcomes(tmp_path, "steady_after")["what the drill had stopped is given back"] == "ok"


def test_an_act_that_gave_everything_back_is_not_given_back_again(tmp_path: Path) -> None:
    cluster = FakeCluster()
    steps = tuple(step for step in STOP.steps if not isinstance(step.action, WaitStep | CheckStep))
    build_drill(replace(STOP, steps=steps), cluster, tmp_path).execute()
    assert "what the drill had stopped is given back" not in outcomes(tmp_path, "steady_after")


def test_what_cannot_be_given_back_fails_the_drill(tmp_path: Path) -> None:
    cluster = FakeCluster()
    cluster.refused = {"start"}
    steps = (STOP.steps[0], Step("ask", QuestionStep("go on?", "yes")))
    judgement = build_drill(replace(STOP, steps=steps), cluster, tmp_path, answer="no").execute()
    assert outcomes(tmp_path, "steady_after")["what the drill had stopped is given back"] == "failed"
    assert judgement.of("restored").verdict is Verdict.FAIL


def test_a_bug_of_the_driver_leaves_no_fault_and_keeps_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster()
    drill = build_drill(quick(CUT), cluster, tmp_path)

    def broken(step: WaitStep) -> None:
        if step.what == "seconds":
            raise KeyError("standby")

    monkeypatch.setattr(drill.actions, "wait", broken)
    with pytest.raises(KeyError):
        drill.execute()
    assert not cluster.active
    assert (tmp_path / "verdict.json").exists()
    assert "the driver broke: KeyError" in journal_of(tmp_path, "stopped")[0]["why"]


def test_a_probe_whose_controller_died_is_not_thrown_away(tmp_path: Path) -> None:
    cluster = FakeCluster()
    cluster.probe_runs = True
    judgement = build_drill(quick(CRASH), cluster, tmp_path).execute()
    assert judgement.of("entrance").verdict is Verdict.UNKNOWN
    assert "20260101T000000Z-owner_crash-erp" in judgement.of("entrance").summary
    assert not any("systemd-run" in line or "PLACE" in line or "rm -rf" in line for line in cluster.asked)


def test_the_data_is_checked_at_home_where_somebody_asked(tmp_path: Path) -> None:
    cluster = FakeCluster()
    drill = build_drill(quick(CUT), cluster, tmp_path, integrity=("amcheck", "checksums"))
    drill.run["integrity"] = ["amcheck", "checksums"]
    judgement = drill.execute()
    assert [line for line in cluster.asked if "python3 - " in line and "snapshot" not in line] == [
        "node1 python3 - amcheck 17 5432", "node1 python3 - checksums 17 5432"]
    assert (tmp_path / "integrity" / "amcheck.txt").read_text() == "all well"
    assert judgement.of("integrity").verdict is Verdict.PASS


def test_a_disk_that_was_filled_is_emptied_wherever_the_package_is_by_then(tmp_path: Path) -> None:
    """The filler lies on the shared disks; on the node that was filled nothing may be mounted any more."""
    cluster = FakeCluster()
    full = FaultStep("full", "disk_full", "owner", {"where": "data"}, 30, "driver")
    build_drill(replace(CUT, steps=(Step("fill it", full),)), cluster, tmp_path).execute()
    assert [line for line in cluster.asked if "disk_full" in line] == [
        "node1 fault disk_full injected", "node2 fault disk_full healed", "node1 fault disk_full healed"]
    (intent,) = journal_of(tmp_path, "intent")
    assert rebuild_fault(intent).undone_by == ("node2",)
