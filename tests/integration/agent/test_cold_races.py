"""Both nodes come up from cold at the same moment, again and again: exactly one of them gets the package, and every row is there.

HOLDFAST_COLD_RACES says how often; a claim needs a hundred.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest

from tests.integration.agent.conftest import NODES, Cluster

pytestmark = pytest.mark.lab
RACES = int(os.environ.get("HOLDFAST_COLD_RACES", "3"))
ASK = "runuser -u postgres -- psql -XAtq -h /var/run/postgresql -c '{}'"


def test_one_of_two_owns_the_package(cluster: Cluster, record_property: Callable[[str, object], None]) -> None:
    cluster.run(cluster.owner(), ASK.format("drop table if exists cold_races; create table cold_races (race int primary key)"))
    took, winners = [], []
    for race in range(RACES):
        cluster.run(cluster.owner(), ASK.format(f"insert into cold_races values ({race})"))
        for node in NODES:
            cluster.lab.node(node).power_off()
        begun = time.monotonic()
        for node in NODES:
            cluster.lab.node(node).power_on()
        for node in NODES:
            cluster.lab.node(node).wait_until_up()
        cluster.wait_for_service()
        took.append(time.monotonic() - begun)
        winners.append(cluster.owner())
        # Both agents name the same owner, which holds every LUN, and what was acknowledged before the power cut is there.
        seen = {node: cluster.status(node)["packages"]["erp"] for node in NODES}
        assert {package["owner"] for package in seen.values()} == {winners[-1]}
        assert set(seen[winners[-1]]["holder"].values()) == {seen[winners[-1]]["key"]}
        assert not cluster.lab.node(cluster.other(winners[-1])).succeed("findmnt -n /srv/erp || true").strip()
        rows = cluster.run(winners[-1], ASK.format("select count(*) from cold_races")).strip()
        assert int(rows) == race + 1
        cluster.run(winners[-1], "holdfastctl forget-failures erp")
    cluster.run(cluster.owner(), ASK.format("drop table cold_races"))
    print(f"\n{RACES} races: {', '.join(f'{node} {winners.count(node)}' for node in NODES)}; from power to owner and standby "
          f"{min(took):.1f} to {max(took):.1f} s", flush=True)
    record_property("seconds", took)
