"""Array and nodes without power, and sessions that come up in another order than before.

The array knows a node's registrations by the number of the session they were made in. A node whose sessions have other
numbers after a boot finds its own registrations as those of strangers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.integration.agent.conftest import NODES, Cluster

pytestmark = pytest.mark.lab
SESSIONS = "/etc/holdfast/iscsi-sessions.json"
# Both paths carry it: multipath gives each request to the path that has less to do.
WRITE = "dd if=/dev/zero of=/srv/erp/paths bs=256K count=256 oflag=direct status=none && rm /srv/erp/paths"
PATHS_IN_MAPS = "multipathd show maps raw format %N"


def portals(cluster: Cluster, node: str) -> list[str]:
    """Portals of the node's sessions, the lowest session number first."""
    lines = cluster.run(node, "iscsiadm -m session").splitlines()
    numbered = sorted((int(line.split("[")[1].split("]")[0]), line.split()[2].partition(",")[0]) for line in lines)
    return [portal for _, portal in numbered]


def write_over_both_paths(cluster: Cluster, node: str) -> None:
    cluster.wait("both paths are in the maps", lambda: "1" not in cluster.run(node, PATHS_IN_MAPS).split())
    before = cluster.status(node)["packages"]["erp"]
    since = cluster.run(node, "date '+%F %T'").strip()
    for _ in range(5):
        cluster.run(node, WRITE)
    assert "Metadata I/O Error" not in cluster.run(node, f"journalctl --dmesg --since '{since}'")
    after = cluster.status(node)["packages"]["erp"]
    assert (after["state"], after["failures"]) == ("owner", before["failures"])


@pytest.fixture
def turned(cluster: Cluster) -> Iterator[str]:
    """The owner, whose sessions will come up the other way round; afterwards in their order again."""
    owner = cluster.owner()
    wanted = json.loads(cluster.run(owner, f"cat {SESSIONS}"))
    write = "cat > {0} <<'EOF'\n{1}\nEOF\nsync {0}"
    cluster.run(owner, write.format(SESSIONS, json.dumps(wanted[::-1])))
    yield owner
    cluster.run(owner, write.format(SESSIONS, json.dumps(wanted)))
    for node in NODES:
        cluster.lab.node(node).power_on()
    for node in NODES:
        cluster.lab.node(node).wait_until_up()
    cluster.wait_for_service()


def test_sessions_in_another_order_take_writes_on_every_path(cluster: Cluster, turned: str) -> None:
    before = portals(cluster, turned)
    for node in NODES:
        cluster.lab.node(node).power_off()
    cluster.lab.node(turned).power_on()
    cluster.lab.node(turned).wait_until_up()
    cluster.wait("it owns the package again", lambda: cluster.status(turned)["packages"]["erp"]["state"] == "owner")
    assert portals(cluster, turned) == before[::-1]
    write_over_both_paths(cluster, turned)


def test_array_and_nodes_get_their_power_at_the_same_time(cluster: Cluster) -> None:
    wanted = {node: [session["portal"] for session in json.loads(cluster.run(node, f"cat {SESSIONS}"))] for node in NODES}
    machines = ("san1", *NODES)
    for _ in range(2):
        for name in machines:
            cluster.lab.node(name).power_off()
        for name in machines:
            cluster.lab.node(name).power_on()
        for name in machines:
            cluster.lab.node(name).wait_until_up()
        cluster.wait_for_service()
        assert {node: portals(cluster, node) for node in NODES} == wanted
        write_over_both_paths(cluster, cluster.owner())
        cluster.run(cluster.owner(), "holdfastctl forget-failures erp")
