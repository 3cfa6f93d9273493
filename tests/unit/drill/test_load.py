"""Background load: how it is started and ended, and that its own figures say whether it was there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from holdfast.drill.errors import DrillError, Refused
from holdfast.drill.hosts import Completed
from holdfast.drill.load import Load, expect_postgresql
from holdfast.drill.observers import Probe
from holdfast.drill.verdict.history import LoadSample
from holdfast.drill.verdict.judge import judge
from holdfast.drill.verdict.load import load_history
from holdfast.drill.verdict.result import Verdict
from tests.unit.drill.site_view import PACKAGE, view
from tests.unit.drill.test_mutations import healthy

PGBENCH = "/usr/lib/postgresql/17/bin/pgbench"
# Recorded with pgbench 15.18 while its server was stopped in mid-flight and started again.
RECORD = """pgbench (15.18 (Debian 15.18-0+deb12u1))
progress: 1790000005.325 s, 53.0 tps, lat 5.058 ms stddev 3.540, 0 failed, lag 0.455 ms
progress: 1790000006.325 s, 46.0 tps, lat 5.659 ms stddev 4.458, 0 failed, lag 0.540 ms
WARNING:  terminating connection due to immediate shutdown command
pgbench: error: client 1 aborted in command 4 (SQL) of script 0; perhaps the backend died while processing
pgbench: error: Run was aborted; the above results are incomplete.
pgbench (15.18 (Debian 15.18-0+deb12u1))
progress: 1790000013.398 s, 40.0 tps, lat 4.617 ms stddev 2.815, 0 failed, lag 0.280 ms
"""


class Client:
    """A client host with or without pgbench."""

    def __init__(self, programs: str) -> None:
        self.programs, self.asked = programs, []  # type: ignore[var-annotated]

    def run(self, host: str, argv: Sequence[str], stdin: str = "", timeout_seconds: float = 30) -> Completed:
        self.asked.append(list(argv))
        answers = {"sh": self.programs, "cat": RECORD}
        return Completed(0, answers.get(argv[0], ""), "")

    def succeed(self, host: str, argv: Sequence[str], stdin: str = "", timeout_seconds: float = 30) -> str:
        return self.run(host, argv).stdout


class Installer:
    """Ansible modules; `found` is what the client has once the package is there."""

    def __init__(self, client: Client, found: str, failed: bool = False) -> None:
        self.client, self.found, self.failed, self.asked = client, found, failed, []  # type: ignore[var-annotated]

    def run(self, hosts: Sequence[str], module: str, arguments: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        self.asked.append((module.rsplit(".", 1)[1], dict(arguments)))
        self.client.programs = self.found
        return {host: {"failed": self.failed, "msg": "no package source"} for host in hosts}


def load_on(client: Client, **words: Any) -> Load:
    site = view()
    return Load(client, site, "client1", Probe(client, site, "client1", "run"), 4, **words)  # type: ignore[arg-type]


def test_the_load_is_started_again_whenever_its_connections_break() -> None:
    client = Client(PGBENCH + "\n")
    load_on(client, rate=50.0).start(None)  # type: ignore[arg-type]
    made = next(argv for argv in client.asked if "--initialize" in argv)
    assert made[:4] == [PGBENCH, "--initialize", "--quiet", "--scale=4"]
    loop = client.asked[-1][-1]
    assert loop.startswith(f"while :; do {PGBENCH} --client=4 ") and loop.endswith("; sleep 1; done")
    assert "--rate=50" in loop and "tcp_user_timeout=2000" in loop
    assert "--property=StandardError=inherit" in client.asked[-1]   # two open files would overwrite each other
    assert "passfile=" in loop and "password=" not in loop, "what is in a process list is no secret"


def test_pgbench_comes_with_a_server_that_must_not_start() -> None:
    client = Client("")
    installer = Installer(client, PGBENCH)
    load_on(client).start(installer)  # type: ignore[arg-type]
    assert [name for name, _ in installer.asked] == ["site_files", "site_packages"]
    assert "create_main_cluster = false" in installer.asked[0][1]["files"][0]["content"]
    assert installer.asked[1][1] == {"names": ["postgresql-17"], "services_stay_down": True}


@pytest.mark.parametrize(("found", "failed", "words"), [("", True, "no package source"), ("", False, "has no pgbench")])
def test_a_client_without_pgbench_is_said_in_words(found: str, failed: bool, words: str) -> None:
    client = Client("")
    with pytest.raises(DrillError, match=words):
        load_on(client).start(Installer(client, found, failed))  # type: ignore[arg-type]


def test_the_end_takes_the_tables_away_and_keeps_the_record() -> None:
    client = Client(PGBENCH)
    assert load_on(client).stop() == RECORD
    assert ["systemctl", "stop", "holdfast-drill-load"] in client.asked
    assert any("--init-steps=d" in argv for argv in client.asked)
    assert client.asked[-1] == ["rm", "-rf", "/run/holdfast-drill-load"]


def test_another_database_gets_no_pgbench() -> None:
    site = replace(view(), package={**PACKAGE, "resources": [{**PACKAGE["resources"][0], "type": "mariadb"}]})  # type: ignore[index]
    with pytest.raises(Refused, match="not PostgreSQL"):
        expect_postgresql(site)
    expect_postgresql(view())


def test_the_figures_of_the_load_are_read_and_their_absence_is_lost_evidence(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"load": {"tool": "pgbench"}, "roles": {"client": "client1"}, '
                                       '"clocks": {"client1": {"offset_seconds": 2}}}')  # fmt: skip
    assert "load/pgbench.log: not there" in load_history(tmp_path).lost
    (tmp_path / "load").mkdir()
    (tmp_path / "load" / "pgbench.log").write_text(RECORD)
    assert load_history(tmp_path).load[:2] == (LoadSample(1790000003.325, 53.0), LoadSample(1790000004.325, 46.0))


@pytest.mark.parametrize(("times", "verdict"), [((-2, -1, 3), Verdict.PASS), ((3, 4), Verdict.UNKNOWN), ((), Verdict.UNKNOWN)])
def test_a_load_that_was_not_there_when_the_fault_came_is_never_a_pass(times: tuple[int, ...], verdict: Verdict) -> None:
    history = healthy("owner_crash")
    start = history.act_start or 0.0
    loaded = replace(history, run={**history.run, "load": {"tool": "pgbench"}},
                     load=tuple(LoadSample(start + t, 100.0) for t in times))  # fmt: skip
    assert judge(loaded).of("load").verdict is verdict
    assert judge(loaded).verdict is verdict
    assert "load" not in {check.name for check in judge(history).checks}


def test_integrity_that_was_asked_for_and_not_answered_is_never_a_pass() -> None:
    history = healthy("array_power_cut")
    assert judge(history).of("integrity").verdict is Verdict.PASS
    silent = replace(history, integrity=history.integrity[:1])
    assert judge(silent).of("integrity").summary == "checksums was asked for and has not answered"
    unclear = replace(history, integrity=(replace(history.integrity[0], good=None, words="no server"), *history.integrity[1:]))
    assert judge(unclear).of("integrity").verdict is judge(unclear).verdict is Verdict.UNKNOWN
