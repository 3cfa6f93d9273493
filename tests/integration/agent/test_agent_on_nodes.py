"""The agent's I/O on real nodes: reservations, volumes, database, agent and watchdog, seen from outside the agent."""

from __future__ import annotations

import pytest

from tests.integration.agent.conftest import NODES, Cluster

pytestmark = pytest.mark.lab


def server_pid(cluster: Cluster, node: str) -> int:
    return int(cluster.run(node, "head -1 /srv/erp/pgdata/postmaster.pid"))


def in_service(cluster: Cluster, node: str) -> bool:
    package = cluster.status(node)["packages"]["erp"]
    return package["state"] == "owner" and all(package["address"].values())


def test_the_owner_is_registered_on_every_path_and_holds_every_lun(cluster: Cluster) -> None:
    package = cluster.status(cluster.owner())["packages"]["erp"]
    assert set(package["keys"]) == {"erp-lock", "erp-data"}
    for lun, paths in package["keys"].items():
        assert len(paths) == 2
        assert all(package["key"] in keys for keys in paths.values()), (lun, paths)
        assert package["holder"][lun] == package["key"]
        assert package["registered"][lun] == [package["key"]]


def test_multipathd_knows_the_key(cluster: Cluster) -> None:
    owner = cluster.owner()
    key = cluster.status(owner)["packages"]["erp"]["key"]
    for lun in ("erp-lock", "erp-data"):
        assert cluster.run(owner, f"multipathd getprkey map {lun}").strip() == f"{key}:aptpl"
        assert cluster.run(owner, f"multipathd getprstatus map {lun}").strip() == "set"


def test_lvm_takes_the_volume_for_its_own(cluster: Cluster) -> None:
    owner = cluster.owner()
    assert cluster.run(owner, "lvs --noheadings -o lv_active vg_erp/data").strip() == "active"
    # The volume group carries the owner's system id soon after it serves.
    cluster.wait("claim", lambda: cluster.run(owner, "vgs --noheadings -o systemid vg_erp").strip() == owner)


def test_the_watchdog_is_the_softdog(cluster: Cluster) -> None:
    for node in NODES:
        assert cluster.status(node)["agent"]["watchdog"] == "Software Watchdog"


def test_a_killed_agent_leaves_the_database_alone(cluster: Cluster) -> None:
    owner = cluster.owner()
    server, agent = server_pid(cluster, owner), cluster.status(owner)["agent"]["pid"]
    cluster.run(owner, f"kill -9 {agent}")
    cluster.wait("a new agent", lambda: cluster.status(owner)["agent"]["pid"] != agent)
    cluster.wait("adoption", lambda: in_service(cluster, owner))
    assert server_pid(cluster, owner) == server


def test_a_restarted_agent_detaches_and_attaches_by_itself(cluster: Cluster) -> None:
    owner = cluster.owner()
    server = server_pid(cluster, owner)
    cluster.run(owner, "systemctl restart holdfast-agent")
    cluster.wait("attached again", lambda: in_service(cluster, owner))
    assert server_pid(cluster, owner) == server


def test_a_killed_database_is_restarted_in_place(cluster: Cluster) -> None:
    owner = cluster.owner()
    server = server_pid(cluster, owner)
    cluster.run(owner, f"kill -9 {server}")
    cluster.wait("a new server", lambda: server_pid(cluster, owner) != server)
    cluster.wait("service", lambda: in_service(cluster, owner))
    cluster.run(owner, "holdfastctl forget-failures erp")


def test_a_move_leaves_nothing_behind(cluster: Cluster) -> None:
    old = cluster.owner()
    new = cluster.other(old)
    cluster.run(old, "holdfastctl move erp")
    cluster.wait("the other node serves", lambda: in_service(cluster, new))
    for what in ("findmnt -n /srv/erp", "dmsetup ls | grep vg_erp", "ip -br address | grep 10.20.0.50", "pgrep -x postgres"):
        assert cluster.run(old, f"{what}; true").strip() == ""
    assert cluster.status(new)["packages"]["erp"]["last_takeover"]["cause"] == "released in order"
    registered = cluster.status(new)["packages"]["erp"]["registered"]
    assert all(keys == [cluster.status(new)["packages"]["erp"]["key"]] for keys in registered.values())


def test_a_second_session_is_registered_before_it_is_used(cluster: Cluster) -> None:
    """Log one session out and in: a new nexus, which the array does not know, carries writes without a conflict."""
    owner = cluster.owner()
    session = "$(iscsiadm -m session | head -1)"
    script = (
        f"set -e; line=\"{session}\"; set -- $line; portal=${{3%%,*}}; target=$4; sid=$(echo $2 | tr -d '[]');"
        "iscsiadm -m session -r $sid --logout >/dev/null; sleep 3; iscsiadm -m node -T $target -p $portal --login >/dev/null;"
        "for i in 1 2 3 4 5 6 7 8 9 10; do"
        "  dd if=/dev/zero of=/srv/erp/probe bs=4k count=1 oflag=direct 2>/dev/null; sleep 0.3;"
        "done; rm /srv/erp/probe"
    )
    cluster.run(owner, script)

    def both_paths() -> bool:
        keys = cluster.status(owner)["packages"]["erp"]["keys"]
        return all(len(paths) == 2 and all(paths.values()) for paths in keys.values())

    cluster.wait("both paths registered", both_paths)
    assert cluster.owner() == owner
