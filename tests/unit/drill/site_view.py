"""A two-node site as the lab has it, for the tests of plan and driver."""

from __future__ import annotations

from holdfast.drill.view import ClusterView, build_view

NETWORKS = {"mgmt": 9, "client": 0, "storage_a": 1, "storage_b": 2, "heartbeat": 3}
HOSTS = {"san1": (5, ("mgmt", "storage_a", "storage_b")), "node1": (11, tuple(NETWORKS)),
         "node2": (12, tuple(NETWORKS)), "client1": (101, ("mgmt", "client"))}  # fmt: skip

PACKAGE = {
    "schema": 1, "name": "erp", "nodes": ["node1", "node2"],
    "virtual_addresses": [{"address": "10.20.0.50/24", "interface": "client"}],
    "storage": {"lock_lun": {"name": "erp-lock", "wwid": "36001"}, "luns": [{"name": "erp-data", "wwid": "36002"}],
                "volume_group": "vg_erp", "filesystems": [{"volume": "data", "fstype": "xfs", "path": "/srv/erp"}]},
    "resources": [{"name": "postgresql", "type": "postgresql", "version": "17", "port": 5432,
                   "data_directory": "/srv/erp/pgdata"}],
    "poolers": [{"host": "client1", "address": "10.20.0.101", "port": 6432, "control_port": 6433, "pause_seconds": 5,
                 "hold_seconds": 60}],
    "objectives": {"switchover_seconds": 3, "takeover_seconds": 5, "lost_transactions": 0},
}  # fmt: skip
NODE = {
    "cluster": "lab",
    "nodes": {f"node{number}": {"id": number, "addresses": {"heartbeat": f"10.20.3.{10 + number}"}} for number in (1, 2)},
    "heartbeat_networks": ["heartbeat", "client"],
}


def inventory(**variables: object) -> dict[str, object]:
    hostvars = {
        host: {"holdfast_addresses": {n: f"10.20.{NETWORKS[n]}.{number}" for n in names}, **variables}
        for host, (number, names) in HOSTS.items()
    }
    groups = {"array": ["san1"], "cluster_nodes": ["node1", "node2"], "clients": ["client1"]}
    return {"_meta": {"hostvars": hostvars}, **{group: {"hosts": hosts} for group, hosts in groups.items()}}


def view(**variables: object) -> ClusterView:
    return build_view(inventory(**variables), NODE, PACKAGE, "d" * 64)
