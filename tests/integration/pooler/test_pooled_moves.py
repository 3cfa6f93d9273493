"""Moves with clients behind the pooler, on real nodes: a delay and no error, or a reason and no move."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.drill.observers import PROBE_FOLDER
from holdfast.drill.route import choose_route
from holdfast.lab import Lab
from tests.integration.pooler.conftest import Cluster, Measured, describe

pytestmark = pytest.mark.lab
MOVES = int(os.environ.get("HOLDFAST_POOLED_MOVES", "10"))
GATE, IDLER = "holdfast-gate@erp.service", "holdfast-test-idler.service"
IDLE = "import psycopg, sys, time; c = psycopg.connect(sys.argv[1]); c.execute('select 1'); time.sleep(120)"
ASK = (Path(__file__).parent / "on_node" / "ask_for_a_hold.py").read_text()


def test_moves_are_a_delay_and_no_error(cluster: Cluster, record_property: Callable[[str, object], None]) -> None:
    owner, moments = cluster.owner(), []
    with cluster.measured() as measured:
        for _ in range(MOVES):
            moments.append(cluster.move(owner))
            owner = cluster.other(owner)
    delays = [measured.longest_between(*moment) for moment in moments]
    print(f"\npooled moves: {describe(delays)}; {len(measured.failed())} of {len(measured.attempts)} transactions failed")
    print("delays: " + " ".join(f"{delay:.2f}" for delay in delays), flush=True)
    record_property("delays", delays)
    assert not measured.failed(), measured.failed()[:5]


def test_without_the_pause_clients_see_errors(cluster: Cluster) -> None:
    with cluster.measured() as measured:
        cluster.move(cluster.owner(), "--without-poolers")
    print(f"\nnot paused: {len(measured.failed())} of {len(measured.attempts)} transactions failed", flush=True)
    assert measured.failed()


def refused(cluster: Cluster, expected: str, before: Callable[[], object]) -> Measured:
    """A move that is refused with a reason: the package stays, and clients see no error."""
    owner = cluster.owner()
    with cluster.measured() as measured:
        before()
        answer = cluster.run(owner, "holdfastctl", "move", "erp", cluster.other(owner), expect=1)
        time.sleep(2.0)
    assert expected in answer, answer
    assert cluster.owner() == owner
    assert not measured.failed(), measured.failed()[:5]
    return measured


def test_a_pooler_that_cannot_be_asked_is_a_reason(cluster: Cluster) -> None:
    try:
        refused(
            cluster,
            f"not moved: pooler {cluster.client}: the pooler cannot be asked",
            lambda: cluster.run(cluster.client, "systemctl", "stop", GATE),
        )
    finally:
        cluster.run(cluster.client, "systemctl", "start", GATE)


def test_a_transaction_that_does_not_end_is_a_reason(cluster: Cluster) -> None:
    """A client sits in its transaction: the others wait for it no longer than pause_seconds."""
    route = choose_route(cluster.site.view, cluster.client, "pooler")
    conninfo = f"host={route.host} port={route.port} user=holdfast_probe dbname=holdfast_probe passfile={PROBE_FOLDER}/pgpass"

    def sit() -> None:
        cluster.run(cluster.client, "systemd-run", "--quiet", "--collect", f"--unit={IDLER}", "python3", "-c", IDLE, conninfo)
        owner, question = cluster.owner(), "select count(*) from pg_stat_activity where state = 'idle in transaction'"
        ask = ("runuser", "-u", "postgres", "--", "psql", "-XAtc", question)
        # A writer of the probe is in its transaction for milliseconds, this one stays.
        cluster.wait("idle transaction", lambda: all(int(cluster.run(owner, *ask)) >= 1 for _ in range(3)))

    try:
        measured = refused(cluster, "transactions are still under way; holdfast_probe (pid", sit)
    finally:
        cluster.run(cluster.client, "systemctl", "stop", IDLER)
    print(f"\nrefused after a delay of {max(a['seconds'] for a in measured.attempts):.2f} s")


def test_clients_go_on_when_nobody_says_so(cluster: Cluster) -> None:
    owner = cluster.owner()
    # Also the gate itself is killed while it holds.
    with cluster.measured() as measured:
        done = cluster.site.shell.run(owner, ["python3", "-", str(cluster.package(owner)["term"])], stdin=ASK)
        assert "ok=True" in done.stdout, (done.stdout, done.stderr)
        cluster.run(cluster.client, "systemctl", "kill", "--signal=KILL", GATE)
        cluster.wait("the hold's end", lambda: max(a["seconds"] for a in attempts(cluster)) > 1.5)
        time.sleep(1.0)
    longest = max(attempt["seconds"] for attempt in measured.attempts)
    print(f"\nlet go after {longest:.2f} s")
    assert longest > 1.5
    assert not measured.failed(), measured.failed()[:5]


def attempts(cluster: Cluster) -> list[dict[str, float]]:
    text = cluster.run(cluster.client, "cat", "/run/holdfast-drill/attempts.jsonl")
    return [json.loads(line) for line in text.splitlines()]


def test_a_takeover_is_followed(cluster: Cluster) -> None:
    """The owner is gone without a word: nothing was paused, and afterwards clients are served through the same pooler."""
    owner = cluster.owner()
    lab = Lab.open(os.environ["HOLDFAST_LAB"])
    with cluster.measured() as measured:
        lab.node(owner).power_off()
        other, before = cluster.other(owner), time.time()
        cluster.wait("takeover", lambda: cluster.package(other)["state"] == "owner")
        cluster.wait("poolers", lambda: all(p["ready"] for p in cluster.package(other)["poolers"].values()))
        cluster.wait("clients", lambda: any(a["t_wall"] > before + 5 and a["outcome"] == "ok" for a in attempts(cluster)))
        time.sleep(3.0)
    lab.node(owner).power_on()
    last = [a for a in measured.attempts if a["role"] == "writer"][-10:]
    print(f"\ntakeover through the pooler: {measured.longest_between(before - 5, before + 30):.2f} s without success")
    assert all(a["outcome"] == "ok" for a in last), last
