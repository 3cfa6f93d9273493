"""What the two playbooks ask of hosts, and what they refuse before they ask anything."""

from __future__ import annotations

import copy
from typing import Any

import pytest

# Calls one after the other in a second run of both playbooks, with the lab's package: docs/decisions/0008.
SECOND_RUN_STEPS = 28
PACKAGE: dict[str, Any] = {
    "name": "erp", "nodes": ["node1", "node2"], "failback": "manual",
    "virtual_addresses": [{"address": "10.20.0.50/24", "interface": "client"}],
    "storage": {"lock_lun": "erp-lock", "luns": ["erp-data"], "volume_group": "vg_erp",
                "filesystems": [{"volume": "data", "size": "100%FREE", "fstype": "xfs", "path": "/srv/erp"}]},
    "resources": [{"postgresql": {"version": 17, "port": 5432, "data_directory": "/srv/erp/pgdata"}}],
}  # fmt: skip


def deployed(definition: dict[str, Any], owner: str = "node1", stale: bool = False) -> dict[str, Any]:
    """Answers of nodes where the package serves."""
    view = {"owner": owner, "reason": "", "since": "2026-11-27", "address": {}}
    return {
        f"package_info {node}": {
            "changed": False,
            "node": {"node": node, "stale": stale},
            "packages": {"erp": {**definition, "digest": "a",
                                 "observed": {**view, "state": "owner" if node == owner else "standby"}}},
        }
        for node in ("node1", "node2")
    }  # fmt: skip


def test_a_second_run_asks_each_thing_once(site, definition):
    answers = deployed(definition)
    runs = [site.run(playbook, answers=answers) for playbook in ("build_cluster", "deploy_packages")]
    assert [run.code for run in runs] == [0, 0], runs[0].output + runs[1].output
    assert [run.changed for run in runs] == [[], []]
    assert sum(len(run.steps) for run in runs) <= SECOND_RUN_STEPS
    for run in runs:
        assert run.asked("site_packages") == run.asked("setup") == []
        assert run.asked("package_agent_restart") == []


def test_on_bare_hosts_array_and_nodes_install_side_by_side_and_only_once(site):
    run = site.run("build_cluster", bare=True)
    assert run.code == 0, run.output
    installations = [hosts for task, hosts in run.steps if "Ensure the packages" in task]
    assert installations == [{"san1", "node1", "node2"}]
    assert len(run.asked("site_packages")) == 3
    (node1,) = [call for call in run.asked("site_packages") if call.host == "node1"]
    assert {"postgresql-17", "keepalived", "open-iscsi"} <= set(node1.args["names"])
    assert "create_main_cluster = false" in node1.args["answers"]["/etc/postgresql-common/createcluster.conf"]
    # Nothing of a database that no package has.
    assert not any("mariadb" in str(call.args) for call in run.calls if call.module != "site_files")


@pytest.mark.parametrize("playbook", ["build_cluster", "deploy_packages"])
def test_check_mode_runs_through_on_bare_hosts(playbook, site):
    run = site.run(playbook, "--check", bare=True)
    assert run.code == 0, run.output
    assert run.changed


def test_agents_are_restarted_one_by_one_and_the_owner_last(site, definition):
    run = site.run("deploy_packages", answers=deployed(definition, stale=True))
    assert run.code == 0, run.output
    assert [call.host for call in run.asked("package_agent_restart")] == ["node2", "node1"]
    # A database's file systems, its addresses and its definitions come before.
    assert run.calls.index(run.asked("package_agent_restart")[0]) > run.calls.index(run.asked("package_definition")[-1])


def test_everything_wrong_is_told_at_once_with_its_place_before_anything_is_asked(site):
    bad = copy.deepcopy(PACKAGE)
    bad["nodes"] = ["node1", "node9"]
    bad["virtual_addresses"][0]["address"] = "10.20.0.350/24"
    other = {**copy.deepcopy(PACKAGE), "name": "shop", "nodes": ["node1", "node2"]}
    other["storage"] = {**other["storage"], "lock_lun": "shop-lock", "luns": ["shop-data"], "volume_group": "vg_shop"}
    third = {**copy.deepcopy(other), "name": "third"}
    run = site.run(
        "build_cluster",
        holdfast_packages=[bad, other, third],
        holdfast_luns=[{"name": "erp-lock", "size": "1 MiB"}, {"name": "erp-data", "size": "1 GiB"},
                       {"name": "shop-lock", "size": "64 MiB"}, {"name": "shop-data", "size": "1 GiB"}],
        holdfast_initiator_names={"node1": "iqn.2026-11.org.example:x", "node2": "iqn.2026-11.org.example:x"},
        holdfast_secrets={},
        holdfast_chap_secrets={},
    )  # fmt: skip
    assert run.code != 0
    for place in (
        "holdfast_packages[0].nodes[1]: node9",
        "holdfast_packages[0].virtual_addresses[0].address",
        "holdfast_packages[0].storage.lock_lun: erp-lock is too small",
        "holdfast_packages[2].virtual_addresses[0].address: virtual address 10.20.0.50 is already used",
        "holdfast_packages[2].storage.luns[0]",
        "holdfast_initiator_names.node2",
        "holdfast_secrets.cluster_key",
        "holdfast_chap_secrets.node1",
        "holdfast_chap_secrets.node2",
        "postgresql_service_accounts[0].password",
    ):
        assert place in run.output, place
    assert {call.module for call in run.calls} == {"lio_capacity_info"}


def test_more_than_was_allowed_is_planned_and_refused_and_nothing_of_the_package_is_touched(site, definition):
    moved_port = copy.deepcopy(PACKAGE)
    moved_port["resources"][0]["postgresql"]["port"] = 5433
    answers = deployed(definition)
    plan = site.run("plan_changes", answers=answers, holdfast_packages=[moved_port])
    assert plan.code == 0, plan.output
    assert '"restarts"' in plan.output or "restarts" in plan.output
    refused = site.run("deploy_packages", answers=answers, holdfast_packages=[moved_port])
    assert refused.code != 0
    assert "package_allowed_change" in refused.output
    assert refused.asked("package_agent") == refused.asked("package_definition") == []
    allowed = site.run("deploy_packages", answers=answers, holdfast_packages=[moved_port], package_allowed_change="restarts")
    assert allowed.code == 0, allowed.output
