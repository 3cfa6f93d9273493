"""Faults without a node: the commands they would run, and that each can be undone twice and without a record."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils.errors import HoldfastError
from ansible_collections.holdfast.cluster.plugins.module_utils.faults import process
from ansible_collections.holdfast.cluster.plugins.module_utils.faults.base import Context
from ansible_collections.holdfast.cluster.plugins.module_utils.faults.keeper import Keeper, build_script
from ansible_collections.holdfast.cluster.plugins.module_utils.faults.network import (
    build_drop_commands,
    build_queueing_commands,
    build_removal_commands,
    count_dropped,
    count_queued,
    preference_of,
)
from ansible_collections.holdfast.cluster.plugins.module_utils.faults.registry import KINDS, build_fault
from ansible_collections.holdfast.cluster.plugins.module_utils.faults.unregister import build_header
from ansible_collections.holdfast.cluster.plugins.modules import fault as module

from tests.closed_environment import Tools
from tests.unit.drill.site_view import PACKAGE

PARAMETERS = {
    "network_drop": {"addresses": ["10.20.3.11"]},
    "network_loss": {"addresses": ["10.20.3.11"], "percent": 30},
    "network_delay": {"addresses": ["10.20.3.11"], "milliseconds": 5},
    "network_flap": {"addresses": ["10.20.3.11"], "down_seconds": 1, "up_seconds": 1},
    "path_cut": {"addresses": ["10.20.1.11"]},
    "all_paths_cut": {"addresses": ["10.20.1.11"]},
    "storage_slow": {"milliseconds": 5},
    "process_kill": {"process": "agent", "every_seconds": 2},
    "process_stop": {"process": "database"},
    "disk_full": {"where": "data"},
    "clock_jump": {"seconds": 60},
}

TC_LISTING = json.dumps([
    {"protocol": "ip", "pref": 50001, "kind": "flower", "chain": 0},
    {"protocol": "ip", "pref": 50001, "kind": "flower", "chain": 0, "options": {
        "handle": 1, "actions": [{"order": 1, "kind": "gact", "control_action": {"type": "drop"},
                                  "stats": {"bytes": 420, "packets": 5, "drops": 5}}]}},
])  # fmt: skip


class Runner:
    """Records commands instead of running them."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []

    def __call__(self, command: list[str], expected: object = (0,)) -> None:
        self.commands.append(command)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_fault_can_be_undone_without_a_record(kind: str) -> None:
    """After a reboot there is no record, and the driver asks all the same."""
    fault = build_fault(kind, Context("f", PARAMETERS.get(kind, {}), PACKAGE))
    commands = fault.heal_commands()
    assert all(isinstance(word, str) for command in commands for word in command)


def test_unknown_kinds_and_parameters_are_refused_in_words() -> None:
    with pytest.raises(HoldfastError, match="no fault of kind 'fire'"):
        build_fault("fire", Context("f"))
    with pytest.raises(HoldfastError, match="missing \\['addresses'\\]"):
        build_fault("network_drop", Context("f", {"netwrok": "x"}))
    with pytest.raises(HoldfastError, match="needs a package"):
        build_fault("storage_hang", Context("f"))


def test_a_drop_of_everything_hits_below_arp_and_raw_packets() -> None:
    commands = [shlex.join(c) for c in build_drop_commands(50001, ["client"])]
    assert commands == [
        "tc qdisc add dev client clsact",
        "tc filter add dev client ingress pref 50001 protocol all matchall action drop",
        "tc filter add dev client egress pref 50001 protocol all matchall action drop",
    ]


def test_a_drop_of_peers_and_of_one_direction() -> None:
    commands = [shlex.join(c) for c in build_drop_commands(50001, ["hb"], ["10.0.0.2"], "out")]
    assert commands[1:] == ["tc filter add dev hb egress pref 50001 protocol ip flower dst_ip 10.0.0.2 action drop"]


def test_a_drop_of_storage_traffic_names_the_port_on_the_side_of_the_array() -> None:
    commands = [shlex.join(c) for c in build_drop_commands(50001, ["sa"], port=3260)]
    assert "ingress pref 50001 protocol ip flower ip_proto tcp src_port 3260" in commands[1]
    assert "egress pref 50001 protocol ip flower ip_proto tcp dst_port 3260" in commands[2]


def test_what_is_removed_is_only_this_faults_own() -> None:
    assert preference_of("a") != preference_of("b")
    assert 50000 <= preference_of("anything") < 60000
    assert [shlex.join(c) for c in build_removal_commands(50001, ["hb"])] == [
        "tc filter del dev hb ingress pref 50001",
        "tc filter del dev hb egress pref 50001",
    ]


def test_dropped_packets_are_read_from_tc() -> None:
    assert count_dropped(TC_LISTING) == (1, 5)
    assert count_dropped("") == (0, 0)


def test_writes_fail_and_reads_work_with_the_failing_table() -> None:
    fault = build_fault("write_error", Context("id", {}, PACKAGE))
    assert fault.build_table("0 2088960 linear 254:1 16384") == "0 2088960 flakey 254:1 16384 0 3600 1 error_writes"
    with pytest.raises(HoldfastError, match="striped"):
        fault.build_table("0 100 striped 2 128 254:1 0 254:2 0")


def test_every_request_is_late_with_the_slow_table() -> None:
    fault = build_fault("storage_slow", Context("id", {"milliseconds": 500}, PACKAGE))
    assert fault.build_table("0 2088960 linear 254:1 16384\n2088960 8 linear 254:2 0") == (
        "0 2088960 delay 254:1 16384 500\n2088960 8 delay 254:2 0 500"
    )


def test_the_script_goes_on_after_a_command_that_fails(tmp_path: Path) -> None:
    script = build_script([["false"], ["touch", str(tmp_path / "a b")]], [tmp_path / "record"])
    assert script.splitlines()[1:] == ["false || true", f"touch '{tmp_path}/a b' || true", f"rm -f {tmp_path}/record"]


def test_the_timer_is_armed_with_the_record_and_disarmed_by_the_heal(tmp_path: Path) -> None:
    run = Runner()
    keeper = Keeper("f1", tmp_path / "faults", run)
    keeper.write({"injected": 1.0, "memory": {}}, [["true"]], 30)
    assert run.commands[0][:5] == ["systemd-run", "--quiet", "--collect", "--unit=holdfast-fault-f1", "--on-active=30s"]
    assert keeper.read() == {"injected": 1.0, "memory": {}}
    keeper.heal([["true"]])
    keeper.heal([["true"]])
    assert keeper.read() is None
    assert ["systemctl", "stop", "holdfast-fault-f1.timer"] in run.commands


def test_a_torn_record_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "f1.json").write_text('{"inj')
    assert Keeper("f1", tmp_path).read() is None


def test_processes_are_read_from_proc(tmp_path: Path) -> None:
    stat = "42 (postgres: a) b) T 1 42 42 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 98765 1000 10"
    (tmp_path / "42" / "task" / "42").mkdir(parents=True)
    (tmp_path / "42" / "stat").write_text(stat)
    (tmp_path / "42" / "task" / "42" / "children").write_text("43 44 ")
    (tmp_path / "42" / "cmdline").write_bytes(b"postgres: holdfast_probe holdfast_probe 10.20.0.101(43210) idle\0")
    assert process.process_state(42, tmp_path) == ("T", "98765")
    assert process.process_state(1, tmp_path) is None
    assert process.children(42, tmp_path) == [43, 44]
    assert process.CLIENT_BACKEND.search(process.title(42, tmp_path))
    assert not process.CLIENT_BACKEND.search("postgres: checkpointer ")


def test_the_agents_own_processes_are_not_those_it_has_started(tmp_path: Path) -> None:
    for group, pids in (("agent", "30\n7\n"), ("erp.postgresql", "99\n")):
        (tmp_path / "system.slice" / "holdfast-agent.service" / group).mkdir(parents=True)
        (tmp_path / "system.slice" / "holdfast-agent.service" / group / "cgroup.procs").write_text(pids)
    (tmp_path / "cgroup").write_text("0::/system.slice/holdfast-agent.service/agent\n")
    assert process.group_processes(tmp_path / "cgroup", tmp_path) == [7, 30]
    assert process.group_processes(tmp_path / "gone", tmp_path) == []


def test_children_of_all_threads_of_a_process_that_loses_one_meanwhile(tmp_path):
    (tmp_path / "42" / "task" / "42").mkdir(parents=True)
    (tmp_path / "42" / "task" / "42" / "children").write_text("50 51 ")
    (tmp_path / "42" / "task" / "43").mkdir()
    assert process.children(42, tmp_path) == [50, 51]
    assert process.children(1, tmp_path) == []


def test_the_header_of_the_stand_alone_command_has_the_kernels_layout() -> None:
    """struct sg_io_hdr is 88 bytes on 64-bit Linux, and its status byte is the 73rd."""
    import ctypes
    import struct

    header = build_header(*(ctypes.create_string_buffer(n) for n in (10, 24, 32)))
    assert len(header) == 88
    assert struct.calcsize("@iiBBHIPPPIIiP") == 64


@pytest.mark.parametrize(("states", "active"), [
    ("TTt", True), ("TT-", True), ("TTR", False), ("RRR", False), ("---", False)])
def test_a_stopped_process_is_proven_by_its_state(monkeypatch: pytest.MonkeyPatch, states: str, active: bool) -> None:
    """A stop is carried out when the process runs next: it is waited for, and a child that has ended is no objection."""
    seen = iter(["RRR", *[states] * 20])
    now = {"states": ""}

    def look(pid: int) -> tuple[str, str] | None:
        if pid == 0:
            now["states"] = next(seen, states)
        return None if now["states"][pid] == "-" else (now["states"][pid], "1")

    monkeypatch.setattr(process, "process_state", look)
    monkeypatch.setattr(process, "GONE_WITHIN_SECONDS", 0.05)
    fault = process.ProcessStop(Context("f1", {"process": "agent"}, None))
    fault.memory = {"stopped": [[0, "1"], [1, "1"], [2, "1"]]}
    assert fault.prove()[0] is active


def test_a_child_that_ended_with_its_agent_is_no_error_but_nobody_at_all_is() -> None:
    """The agent's children end with it, and may be gone before it is their turn."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    with subprocess.Popen(["sleep", "60"]) as lives:
        process.kill_all([lives.pid, ended.pid])
        assert lives.wait() == -signal.SIGKILL
    with pytest.raises(ProcessLookupError, match=str(ended.pid)):
        process.kill_all([ended.pid])


@pytest.mark.parametrize(("ahead", "slept"), [(None, []), (-3.0, []), (2.0, [2.0]), (600.0, [])])
def test_a_fault_waits_for_its_moment_and_for_no_wrong_clock(
    monkeypatch: pytest.MonkeyPatch, ahead: float | None, slept: list[float]
) -> None:
    done: list[float] = []
    monkeypatch.setattr(module.time, "sleep", lambda seconds: done.append(round(seconds, 1)))
    module.wait_for_moment(None if ahead is None else time.time() + ahead)
    assert done == slept


def test_each_kind_of_database_has_its_own_pid_file() -> None:
    unit = {"type": "systemd", "name": "x.service", "unit": "x.service"}
    server = {"type": "mariadb", "name": "mariadb", "data_directory": "/srv/shop/mysql"}
    shop = {"name": "shop", "resources": [unit, server]}
    assert process.database_pid_file(shop) == "/run/mysqld/holdfast-shop-mariadb.pid"
    assert process.database_pid_file(PACKAGE).endswith("/pgdata/postmaster.pid")
    with pytest.raises(HoldfastError, match="no database"):
        process.database_pid_file({"name": "x", "resources": shop["resources"][:1]})


def test_late_packets_for_some_peers_leave_everybody_else_alone() -> None:
    commands = [shlex.join(c) for c in build_queueing_commands("hb", ["delay", "5ms"], ["10.20.3.12"])]
    assert commands == [
        "tc qdisc replace dev hb root handle 5f: prio bands 4",
        "tc qdisc replace dev hb parent 5f:4 netem delay 5ms",
        "tc filter add dev hb parent 5f: protocol ip flower dst_ip 10.20.3.12 classid 5f:4",
    ]
    (whole,) = build_queueing_commands("hb", ["loss", "30%"])
    assert shlex.join(whole) == "tc qdisc replace dev hb root netem loss 30%"


def listed(kind: str, packets: int = 0, drops: int = 0) -> dict[str, object]:
    """As ``tc -s -json qdisc show`` prints it (iproute2 6.1, seen with other disciplines)."""
    return {"kind": kind, "handle": "0:", "options": {}, "bytes": 0, "packets": packets, "drops": drops, "overlimits": 0}


def test_packets_that_went_through_a_discipline_are_counted() -> None:
    assert count_queued(json.dumps([listed("prio", 9), listed("netem", 5, 2)])) == (1, 7)
    assert count_queued(json.dumps([listed("noqueue")])) == (0, 0)
    assert count_queued("") == (0, 0)


def test_a_filter_that_nothing_ran_into_had_no_effect(tools: Tools) -> None:
    """The filters are loaded, so that the fault counts as active, and still it cut nothing."""
    fault = build_fault("path_cut", Context("f", {"addresses": ["10.20.1.11"]}))
    fault.memory = {"interfaces": ["sa"]}
    idle = json.loads(TC_LISTING)
    idle[1]["options"]["actions"][0]["stats"]["packets"] = 0
    for listing, seen in ((idle, False), (json.loads(TC_LISTING), True)):
        tools.expect("tc", "-s", "-json", "filter", "show", "dev", "sa", "ingress", stdout=json.dumps(listing))
        tools.expect("tc", "-s", "-json", "filter", "show", "dev", "sa", "egress", stdout="[]")
        assert fault.effect()[0] is seen


def test_a_discipline_that_nothing_went_through_had_no_effect(tools: Tools) -> None:
    fault = build_fault("network_delay", Context("f", {"addresses": ["10.20.3.11"], "milliseconds": 5}))
    fault.memory = {"interfaces": ["hb"]}
    tools.expect("tc", "-s", "-json", "qdisc", "show", "dev", "hb", stdout=json.dumps([listed("netem")]))
    assert fault.effect() == (False, "netem on hb had 0 packets")


@pytest.mark.parametrize(("answer", "effect"), [
    ((False, "0 packets"), {"seen": False, "words": "0 packets"}),
    (None, None),
    (HoldfastError("tc is not installed"), None),
])
def test_the_heal_says_what_had_come_of_a_fault_and_is_never_kept_from_its_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: object, effect: object
) -> None:
    def say(self: object) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(KINDS["disk_full"], "effect", say)
    runner = Runner()
    keeper = Keeper("f", tmp_path, runner)
    keeper.update({"injected": 1.0, "memory": {}})
    fault = build_fault("disk_full", Context("f", {"where": "var"}))
    assert module.heal(fault, keeper, keeper.read(), False)["fault"]["effect"] == effect
    assert runner.commands[0] == ["rm", "-f", "/var/tmp/.holdfast-fault-filler"]
    assert module.heal(fault, keeper, keeper.read(), False)["fault"]["effect"] is None, "nothing is left to be asked"


def test_only_the_same_process_is_continued() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        try:
            child.send_signal(signal.SIGSTOP)
            start = stopped(child.pid)
            fault = build_fault("process_stop", Context("f", {"process": "agent"}))
            fault.memory = {"stopped": [[child.pid, "1"], [2**22 + 1, "1"]]}
            (command,) = fault.heal_commands()
            subprocess.run(command, check=True)
            assert stopped(child.pid) == start, "another process that has got the number since is left alone"
            fault.memory = {"stopped": [[child.pid, start]]}
            for _ in range(2):
                (command,) = fault.heal_commands()
                subprocess.run(command, check=True)
            state = process.process_state(child.pid)
            assert state is not None and state[0] != "T"
        finally:
            child.kill()


def stopped(pid: int) -> str:
    """Its start time, as soon as it stands still."""
    for _ in range(500):
        state = process.process_state(pid)
        if state is not None and state[0] == "T":
            return state[1]
        time.sleep(0.01)
    raise AssertionError("it does not stop")


def test_a_broken_program_gets_back_the_permissions_that_it_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "postgres"
    program.touch(mode=0o750)
    monkeypatch.setattr(process.DatabaseBroken, "program", lambda self: str(program))
    fault = build_fault("database_broken", Context("f", {}, PACKAGE))
    assert fault.heal_commands() == [["chmod", "755", str(program)]], "without a record as the package manager sets it"
    fault.memory = fault.remember()
    fault.inject()
    assert fault.prove()[0]
    assert fault.heal_commands() == [["chmod", "750", str(program)]]
