"""What stands around the driver: guard process, history, live view, command line."""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import time
from pathlib import Path

import pytest

from holdfast.drill import cli, launch
from holdfast.drill.conditions import NodeSeen
from holdfast.drill.deadman import guard
from holdfast.drill.display import CLEAR_LINE, UP, LiveDisplay, Now, PlainDisplay, describe_now
from holdfast.drill.errors import DrillError, Refused
from holdfast.drill.evidence import git_revision
from holdfast.drill.hosts import SshShell, first_cause, unwrap
from holdfast.drill.observers import Observers, Stream, build_account_sql, build_scram_verifier
from holdfast.drill.past import PastRun, Present, look_at_code, read_runs, render_history, summarise
from holdfast.drill.power import ModulePower
from holdfast.drill.runbook.catalogue import load_catalogue
from holdfast.drill.runbook.explain import list_runbooks
from holdfast.drill.site import Site, choose_package
from holdfast.drill.verdict.result import CheckResult, Judgement, Verdict
from tests.closed_environment import Tools
from tests.unit.drill.fake_site import FakeCluster, FakePower
from tests.unit.drill.site_view import view


def guarded(*lines: dict[str, object], close: bool = True) -> tuple[list[str], list[str]]:
    """What the guard did for these words of the driver."""
    cluster = FakeCluster()
    read, write = os.pipe()
    os.write(write, "".join(json.dumps(line) + "\n" for line in lines).encode())
    if close:
        os.close(write)
    with os.fdopen(read, "rb", buffering=0) as pipe:
        kept = guard(FakePower(cluster), pipe)
    return kept, cluster.asked


CLEAR = UP + CLEAR_LINE
PROMISE = {"promise": "f1", "host": "node1", "verb": "thaw", "network": None, "ttl_seconds": 60}


def test_the_guard_undoes_what_a_dead_driver_left() -> None:
    assert guarded(PROMISE) == (["f1"], ["node1 power thaw"])


def test_the_guard_does_nothing_after_a_kept_promise() -> None:
    assert guarded(PROMISE, {"keep": "f1"}, {"farewell": True}) == ([], [])


def test_the_guard_undoes_what_has_lived_too_long_although_the_driver_lives() -> None:
    cluster = FakeCluster()
    read, write = os.pipe()
    os.write(write, (json.dumps({**PROMISE, "ttl_seconds": 0.05}) + "\n").encode())

    class Ending(FakePower):
        def do(self, host: str, verb: str, network: str | None = None) -> str:
            os.close(write)
            return super().do(host, verb, network)

    with os.fdopen(read, "rb", buffering=0) as pipe:
        assert guard(Ending(cluster), pipe) == ["f1"]


def write_run(root: Path, stamp: str, verdict: str | None, outage: float, digest: str = "a") -> None:
    folder = root / f"{stamp}-owner_crash-erp"
    folder.mkdir()
    document = {"runbook": "owner_crash", "package": "erp", "cluster": "lab", "started": float(stamp[:4]),
                "digest": digest, "git": {"revision": "r"}}  # fmt: skip
    name = "verdict.json" if verdict else "run.json"
    (folder / name).write_text(json.dumps({**document, "verdict": verdict, "outage_seconds": outage}))


def test_history_shows_the_last_pass_the_trend_and_what_changed(tmp_path: Path) -> None:
    write_run(tmp_path, "1001Z", "PASS", 3.0)
    write_run(tmp_path, "1002Z", "PASS", 2.5)
    write_run(tmp_path, "1003Z", "FAIL", 9.0, digest="b")
    (row,) = summarise(read_runs(tmp_path))
    assert (row["runs"], row["last"], row["last_pass"], row["outages"]) == (3, "FAIL", 1002.0, [3.0, 2.5])
    assert row["changed_since_pass"] == ["definition"]
    assert "definition" in render_history([row])


def described(started: float, **words: object) -> PastRun:
    given = {"folder": Path("/x"), "runbook": "owner_crash", "package": "erp", "cluster": "lab", "verdict": "PASS",
             "outage_seconds": 2.0, "digest": "a", "revision": "r1", "text": "steps: 1"}  # fmt: skip
    return PastRun(started=started, **{**given, **words})  # type: ignore[arg-type]


@pytest.mark.parametrize(("last", "newest", "present", "expected"), [
    ({}, {}, Present(), []),
    ({}, {"digest": "b"}, Present(), ["definition"]),
    ({}, {}, Present(digests={"erp": "c"}), ["definition"]),
    ({}, {"digest": "b"}, Present(digests={"erp": "a"}), []),
    ({}, {}, Present(runbooks={"owner_crash": "steps: 2"}), ["runbook"]),
    ({"text": ""}, {}, Present(runbooks={"owner_crash": "steps: 2"}), []),
    ({}, {}, Present(code_changed=lambda revision: revision == "r1"), ["code"]),
    ({"versions": {"node1": {"kernel": "6.1"}, "node2": {"kernel": "6.1"}, "holdfast": "0.1"}},
     {"versions": {"node1": {"kernel": "6.2", "lvm2": "2"}, "holdfast": "0.2"}}, Present(), ["kernel on node1", "lvm2 on node1"]),
])
def test_what_has_changed_since_the_last_pass(
    last: dict[str, object], newest: dict[str, object], present: Present, expected: list[str]
) -> None:
    """The newest run may be of another drill of the same package: the definition and the programs are the package's."""
    runs = [described(1, **last), described(2, runbook="switchover", verdict="FAIL", **newest)]
    row = next(row for row in summarise(runs, present) if row["runbook"] == "owner_crash")
    assert row["changed_since_pass"] == expected


def test_code_is_compared_with_the_files_as_they_are_now(tools: Tools) -> None:
    for revision, code in {"r1": 0, "r2": 1, "gone": 128}.items():
        tools.expect("git", "-c", "safe.directory=*", "-C", "/p", "diff", "--quiet", revision, code=code)
    changed = look_at_code(Path("/p"))
    assert [changed(revision) for revision in ("", "r1", "r2", "gone", "r2")] == [False, False, True, True, True]


def test_a_machine_without_git_drills_all_the_same(tools: Tools, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A checkout that came as an archive; its code is not known to be that of an earlier run."""
    tools.let_run("git")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_revision(tmp_path) == {"revision": "", "dirty": False}
    assert look_at_code(tmp_path)("r1")


@pytest.mark.parametrize(("outages", "expected"), [([2.0], None), ([2.0, 2.2], None), ([2.0, 2.2, 3.1], 1.0)])
def test_the_trend_is_the_newest_outage_beside_those_before(outages: list[float], expected: float | None) -> None:
    (row,) = summarise([described(float(n), outage_seconds=seconds) for n, seconds in enumerate(outages)])
    assert row["trend"] == (None if expected is None else pytest.approx(expected))


def test_every_run_of_one_drill_over_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path, "1001Z", "PASS", 2.5)
    write_run(tmp_path, "1002Z", "FAIL", 10.0)
    write_run(tmp_path, "1003Z", None, 0.0)
    assert command("history", "owner_crash", "--evidence", str(tmp_path)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[3] for line in lines[1:]] == ["PASS", "FAIL", "UNKNOWN"]
    assert ("▃" in lines[1], "█" in lines[2], " - " in lines[3]) == (True, True, True)
    assert command("history", "--json", "--evidence", str(tmp_path)) == 0
    assert json.loads(capsys.readouterr().out)[0]["runs"] == 3
    assert command("history", "switchover", "--evidence", str(tmp_path)) == 0
    assert "not been run yet" in capsys.readouterr().out


def test_a_run_that_was_torn_is_unknown_and_still_listed(tmp_path: Path) -> None:
    write_run(tmp_path, "1001Z", None, 0.0)
    (row,) = summarise(read_runs(tmp_path))
    assert row["last"] == "UNKNOWN" and row["last_pass"] is None
    assert "never" in render_history([row])
    assert render_history([]) == "no drill has been run yet"


def test_plain_lines_tell_the_story() -> None:
    stream = io.StringIO()
    display = PlainDisplay(stream)
    at = display.zero
    display({"kind": "phase", "event": "start", "name": "steady_before", "t_wall": at})
    display({"kind": "step", "event": "end", "name": "package is up", "outcome": "failed", "detail": "no", "t_wall": at + 1})
    display({"kind": "note", "t_wall": at})
    assert stream.getvalue().splitlines() == ["    0.0 s  [steady before]", "    1.0 s    ✗ package is up: no"]


def test_the_live_view_says_when_clients_are_not_served() -> None:
    nodes = {"node1": NodeSeen(False), "node2": NodeSeen(True, {"packages": {"erp": {"state": "starting"}}})}
    probe = {"waits": {"w1": 2.5}, "ok": 10, "fail": 2, "indeterminate": 1, "longest": 0.1}
    now = Now(allowed="takeover (5 s)")
    now({"kind": "phase", "event": "start", "name": "steady_after", "t_wall": time.time()})
    now({"kind": "step", "event": "start", "name": "package is up", "t_wall": time.time() - 7})
    text = "\n".join(describe_now("erp", nodes, probe, now))
    assert "steady after: package is up (7 s)" in text
    assert "node1: no answer   node2: starting" in text and "NO SUCCESS for 2.5 s" in text
    assert "longest wait so far 0.10 s, allowed: takeover (5 s)" in text


@pytest.mark.parametrize("phase", ["collect", "verdict"])
def test_the_live_view_says_nothing_of_hosts_that_are_no_longer_asked(phase: str) -> None:
    now = Now()
    now({"kind": "phase", "event": "start", "name": phase, "t_wall": time.time()})
    probe = {"waits": {}, "ok": 10, "fail": 0, "indeterminate": 0, "longest": 0.1}
    assert describe_now("erp", {"node1": NodeSeen(False)}, probe, now) == ["", f"  {phase} (0 s)"]


def test_a_line_that_does_not_fit_is_cut_because_it_could_not_be_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((20, 10)))
    stream = io.StringIO()
    display = LiveDisplay(lambda: ["x" * 50, "short"], stream)
    display({"kind": "phase", "event": "start", "name": "act", "t_wall": display.zero})
    display.close()
    drawn = [line for line in stream.getvalue().split("\n") if "x" in line]
    assert drawn and all(line.replace(CLEAR, "").endswith("x" * 18 + "…") for line in drawn)


def test_nothing_is_drawn_over_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.drill.display.REDRAW_SECONDS", 0.01)
    stream = io.StringIO()
    display = LiveDisplay(lambda: ["where everything stands"], stream)
    display({"kind": "phase", "event": "start", "name": "act", "t_wall": display.zero})
    with display.quiet():
        before = stream.getvalue()
        time.sleep(0.1)
        assert stream.getvalue() == before
        assert before.endswith(CLEAR), "what was there has been taken away"
    display.close()
    assert not display.thread.is_alive()


class Gone(io.StringIO):
    """A terminal whose connection broke."""

    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")


def test_a_terminal_that_is_gone_ends_no_drill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.drill.display.REDRAW_SECONDS", 0.01)
    entry = {"kind": "phase", "event": "start", "name": "act", "t_wall": time.time()}
    PlainDisplay(Gone())(entry)
    display = LiveDisplay(lambda: ["where everything stands"], Gone())
    display(entry)
    time.sleep(0.05)
    assert display.thread.is_alive()
    with display.quiet():
        pass
    display.close()


@pytest.mark.parametrize(("typed", "answer"), [("what\nYES\n", "yes"), ("no\n", "no"), ("", None)])
def test_a_question_wants_yes_or_no_and_the_end_of_the_terminal_is_nobody(
    monkeypatch: pytest.MonkeyPatch, typed: str, answer: str | None
) -> None:
    terminal = io.StringIO(typed)
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", terminal)
    assert launch.ask("go on? ") == answer


def test_the_end_says_what_clients_saw_whatever_the_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checks = (CheckResult("outage", "Outage within the objective", Verdict.PASS, "2.89 s of at most 5 s"),
              CheckResult("moves", "No needless moves", Verdict.PASS, "1 of at most 1"),
              CheckResult("log_scan", "Nothing alarming in the logs", Verdict.FAIL, "1 alarming lines"))  # fmt: skip
    assert launch.say(Judgement(checks), "The owner crashes", tmp_path) == 1
    assert capsys.readouterr().out.splitlines()[1:] == [
        "FAIL: The owner crashes", "  Outage within the objective: 2.89 s of at most 5 s",
        "  FAIL: Nothing alarming in the logs: 1 alarming lines", f"report: {tmp_path / 'report.html'}"]


def test_the_command_line_of_ssh_is_the_inventorys() -> None:
    shell = SshShell({"node1": {"ansible_host": "10.0.0.1", "ansible_user": "root", "ansible_ssh_common_args": "-F /x/cfg"}})
    words = shell.command("node1", ["echo", "a b"])
    assert words[:3] == ["ssh", "-F", "/x/cfg"] and words[-2:] == ["root@10.0.0.1", "echo 'a b'"]


def test_texts_that_ansible_marks_as_unsafe_are_texts() -> None:
    assert unwrap({"a": [{"__ansible_unsafe": "x"}], "b": 1}) == {"a": ["x"], "b": 1}


TRIED = """[WARNING]: Failed to parse inventory with 'x.lab' plugin: there is no lab 'a'; make it with: holdfast lab up --name a

Failed to parse inventory with 'x.lab' plugin.

<<< caused by >>>

there is no lab 'a'; make it with: holdfast lab up --name a
Origin: <inventory plugin 'x.lab' with source '/x/lab.yml'>

[WARNING]: Failed to parse inventory with 'ansible.builtin.plugins.inventory.ini' plugin: Invalid host pattern

<<< caused by >>>

Invalid host pattern
[ERROR]: No inventory was parsed, please check your configuration and options.
"""


@pytest.mark.parametrize(("said", "cause"), [
    (TRIED, "there is no lab 'a'; make it with: holdfast lab up --name a"),
    ("[WARNING]: Unable to parse /x as a source\n[ERROR]: No inventory was parsed\n", "Unable to parse /x as a source"),
    ("", "no message"),
])
def test_why_an_inventory_cannot_be_read(said: str, cause: str) -> None:
    """A drill before `lab up` is told what to do, and not how Ansible's last format fared."""
    assert first_cause(said) == cause


def test_the_server_gets_a_verifier_and_no_password() -> None:
    verifier = build_scram_verifier("pencil", b"0123456789abcdef")
    assert verifier.startswith("SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==$")
    assert "pencil" not in build_account_sql("pencil")


def test_power_of_real_hardware_is_named_in_the_inventory() -> None:
    settings = {"node1": {"module": "community.general.ipmi_power", "off": {"state": "off"}, "on": {"state": "on"}}}
    power = ModulePower(None, settings)  # type: ignore[arg-type]
    assert power.abilities() == {"power"}
    assert ModulePower(None, {}).abilities() == frozenset()  # type: ignore[arg-type]
    with pytest.raises(DrillError, match="no holdfast_power for freeze"):
        power.do("node1", "freeze")


def test_production_needs_the_name_of_its_cluster(tmp_path: Path) -> None:
    site = Site(tmp_path, {}, None, view(holdfast_production=True))  # type: ignore[arg-type]
    for word in (None, "yes"):
        with pytest.raises(Refused, match="--approve-production lab"):
            launch.guard_production(site, "owner_crash causes: outage", word)
    launch.guard_production(site, "it causes: outage", "lab")
    launch.guard_production(Site(tmp_path, {}, None, view()), "it causes: outage", None)  # type: ignore[arg-type]


def stand_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **variables: object) -> None:
    """A site as far as a drill looks at it before it begins; nothing further may be touched."""
    site = Site(tmp_path, {}, None, view(**variables))  # type: ignore[arg-type]
    monkeypatch.setattr(launch, "find_site", lambda arguments: site)
    monkeypatch.setattr(launch, "find_owner", lambda site: "node1")
    monkeypatch.setattr(launch, "power_of", lambda site: FakePower(FakeCluster()))
    for name in ("prepare", "hold_cluster"):
        monkeypatch.setattr(launch, name, lambda *words: pytest.fail("it went on"))


@pytest.mark.parametrize(("drill", "word"), [(("run", "owner_crash"), "owner node1"), (("campaign",), "round")])
def test_a_dry_run_touches_nothing_and_needs_no_approval(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], drill: tuple[str, ...], word: str
) -> None:
    stand_before(monkeypatch, tmp_path, holdfast_production=True)
    assert command(*drill, "--dry-run") == 0
    assert word in capsys.readouterr().out
    assert command(*drill) == 2
    assert "--approve-production lab" in capsys.readouterr().err


def test_a_dry_run_says_why_the_drill_could_not_be_run_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_before(monkeypatch, tmp_path, holdfast_cluster={"storage_networks": ["storage_a"]})
    assert command("run", "failback", "--dry-run") == 0
    capsys.readouterr()
    assert command("run", "path_and_node", "--dry-run") == 2
    assert "needs a second storage network" in capsys.readouterr().err


def test_a_drill_that_cannot_be_run_here_leaves_no_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty folder would stand in the history as a run that was torn."""
    stand_before(monkeypatch, tmp_path, holdfast_cluster={"storage_networks": ["storage_a"]})
    assert command("run", "path_cut") == 2
    assert "path_cut cannot run here: needs a second storage network" in capsys.readouterr().err


def test_a_campaign_that_goes_on_needs_its_approval_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_before(monkeypatch, tmp_path, holdfast_production=True)
    settings = {"seed": 1, "faults": 9, "limit_seconds": 300, "checkpoint_every": 10, "minutes": None}
    (tmp_path / "run.json").write_text(json.dumps({"kind": "campaign", "runbook": "campaign", "package": "erp",
                                                   "inventory": "x", "campaign": settings}))  # fmt: skip
    (tmp_path / "journal.jsonl").touch()
    assert command("resume", str(tmp_path)) == 2
    assert "9 faults causes many outages" in capsys.readouterr().err


def test_the_package_need_not_be_named_where_there_is_only_one() -> None:
    assert choose_package(["erp"], None) == "erp"
    with pytest.raises(DrillError, match="say which package: crm, erp"):
        choose_package(["crm", "erp"], None)
    with pytest.raises(DrillError, match="no package 'x'"):
        choose_package(["erp"], "x")


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser.add_subparsers())
    arguments = parser.parse_args(["drill", *words])
    return int(arguments.run(arguments))


def test_list_explain_and_reference(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("list") == 0
    assert "owner_crash" in capsys.readouterr().out
    assert command("explain", "owner_crash") == 0
    assert "proof: The target answers with a different boot id" in capsys.readouterr().out
    assert command("explain", "owner_crsh") == 2
    assert "did you mean" in capsys.readouterr().err
    assert command("reference") == 0


def test_drills_that_a_site_cannot_run_are_listed_with_the_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    single = view(holdfast_cluster={"storage_networks": ["storage_a"]})
    monkeypatch.setattr(launch, "find_site", lambda arguments: Site(tmp_path, {}, None, single))  # type: ignore[arg-type]
    catalogue = load_catalogue([launch.PROJECT / "runbooks"])
    lines = list_runbooks(catalogue, launch.site_obstacles(argparse.Namespace(), catalogue)).splitlines()
    where = next(number for number, line in enumerate(lines) if line.startswith("  path_cut "))
    assert lines[where + 1].strip() == "not here: needs a second storage network"
    there = next(number for number, line in enumerate(lines) if line.startswith("  switchover "))
    assert "not here" not in lines[there + 1]


def test_clocks_are_compared_by_the_fastest_record(tmp_path: Path) -> None:
    stream = Stream(None, "node1", "node", [], tmp_path / "x")  # type: ignore[arg-type]
    for ahead in (-0.8, 2.5, 1.0):
        stream._compare_clocks(ahead)
    observers = Observers(None, view(), tmp_path)  # type: ignore[arg-type]
    observers.streams["node1"] = stream
    assert observers.clocks() == {"node1": {"offset_seconds": 2.5}}
