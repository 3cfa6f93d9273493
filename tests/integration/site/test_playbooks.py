"""The playbooks on a cluster in service: second run, check mode, runs that are cut off, changes under load, bad input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest

from tests.integration.conftest import ROOT, Site
from tests.integration.site.conftest import GROWN, PLAYBOOKS, Load, changed

pytestmark = pytest.mark.lab
# Seconds after which a run is cut off; together they fall into most of the steps of both playbooks.
CUTS = (3, 8, 14, 20)


def test_second_run_changes_nothing(deployed: Site) -> None:
    for playbook in PLAYBOOKS:
        assert changed(deployed.succeed(playbook)) == []


def test_check_mode_of_a_built_cluster_sees_nothing_to_do(deployed: Site) -> None:
    for playbook in PLAYBOOKS:
        assert changed(deployed.succeed(playbook, "--check", "--diff")) == []


def test_clients_do_not_notice_a_second_run_nor_a_change_of_settings(deployed: Site, load: Load) -> None:
    for playbook in PLAYBOOKS:
        deployed.succeed(playbook)
    assert changed(deployed.succeed("deploy_packages", "-e", '{"postgresql_service_settings": {"work_mem": "8MB"}}')) != []
    deployed.succeed("deploy_packages")
    told = load.end()
    assert told["acknowledged"] > 50
    assert (told["errors"], told["lost"]) == ([], [])


def test_lun_volume_and_file_system_grow_under_load(deployed: Site, load: Load) -> None:
    for playbook in PLAYBOOKS:
        deployed.succeed(playbook, "-e", json.dumps(GROWN))
    told = load.end()
    assert (told["errors"], told["lost"]) == ([], [])
    sizes = [node.execute("df --output=size -B1 /srv/erp 2>/dev/null | tail -1").stdout.strip() for node in deployed.lab.nodes
             if node.name.startswith("node")]
    assert max(int(size or 0) for size in sizes) > 4.8 * (1 << 30)
    for playbook in PLAYBOOKS:
        assert changed(deployed.succeed(playbook, "-e", json.dumps(GROWN))) == []


@pytest.mark.parametrize("seconds", CUTS)
def test_a_run_that_is_cut_off_is_finished_by_the_next_one(seconds: int, deployed: Site) -> None:
    """With other settings of every kind, so that each step has something to do; then back, so that the next cut has it too."""
    words = ("-e", json.dumps(GROWN), "-e", json.dumps({
        "node_base_journal_max_mib": 100 + seconds, "iscsi_initiator_noop_timeout_seconds": 2 + seconds % 2,
        "multipath_queue_seconds": 30 + seconds, "virtual_address_garp_refresh_seconds": 10 + seconds,
        "postgresql_service_settings": {"work_mem": f"{4 + seconds}MB"}}))
    for playbook in PLAYBOOKS:
        cut_off(deployed, playbook, seconds, words)
    for playbook in PLAYBOOKS:
        deployed.succeed(playbook, *words)
    for playbook in PLAYBOOKS:
        assert changed(deployed.succeed(playbook, *words)) == []
    for node in ("node1", "node2"):
        host = deployed.lab.node(node)
        assert f"vrrp_garp_master_refresh {10 + seconds}" in host.succeed("cat /etc/keepalived/keepalived.conf")
        assert host.execute("ls /var/lib/holdfast/unfinished/*").code != 0


def cut_off(site: Site, playbook: str, seconds: int, words: tuple[str, ...]) -> None:
    """Kill the controller's processes in the middle of a run, as a power cut of the controller would."""
    with subprocess.Popen(site.command(playbook, *words), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, env=site.environment(), start_new_session=True) as run:
        try:
            run.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)


def owner_of(site: Site) -> str:
    status = json.loads(site.lab.node("node1").succeed("holdfastctl status --json"))
    return str(status["packages"]["erp"]["owner"])


def test_a_move_shows_a_long_transaction_refuses_it_and_waits_for_it(deployed: Site) -> None:
    """One statement is one transaction; it ends before the wait does."""
    owner = owner_of(deployed)
    other = "node2" if owner == "node1" else "node1"
    seconds = 60
    sleeper = f"runuser -u postgres -- psql -c 'SELECT pg_sleep({seconds})'"
    begun = time.monotonic()
    deployed.lab.node(owner).succeed(f"systemd-run --quiet --collect {sleeper}")
    time.sleep(3)
    words = ("-e", "package=erp", "-e", f"node={other}")
    limit = (*words, "-e", "longest_transaction_seconds=1")
    assert "transactions: postgres (pid " in deployed.succeed("switch_package", *words, "--check")
    refused = deployed.run("switch_package", *limit)
    assert refused.returncode != 0
    assert "the limit is 1 s" in refused.stdout
    assert owner_of(deployed) == owner
    assert time.monotonic() - begun < seconds, "the transaction ended before it was in the way"
    deployed.succeed("switch_package", *limit, "-e", "wait_seconds=120")
    assert owner_of(deployed) == other
    assert time.monotonic() - begun >= seconds


def test_a_change_beyond_what_was_allowed_is_refused(deployed: Site) -> None:
    deployed.succeed("deploy_packages", "-e", json.dumps(GROWN))    # no setting of another test is left
    other_port = json.loads(json.dumps(PACKAGE))
    other_port["holdfast_packages"][0]["resources"][0]["postgresql"]["port"] = 5433
    words = ("-e", json.dumps(GROWN), "-e", json.dumps(other_port))
    assert "restarts" in deployed.succeed("plan_changes", *words)
    done = deployed.run("deploy_packages", *words)
    assert done.returncode != 0
    assert "package_allowed_change" in done.stdout
    assert changed(deployed.succeed("deploy_packages", "-e", json.dumps(GROWN), "--check")) == []


PACKAGE = {"holdfast_packages": [{
    "name": "erp", "nodes": ["node1", "node2"], "failback": "manual",
    "virtual_addresses": [{"address": "10.20.0.50/24", "interface": "client"}],
    "storage": {"lock_lun": "erp-lock", "luns": ["erp-data"], "volume_group": "vg_erp",
                "filesystems": [{"volume": "data", "size": "100%FREE", "fstype": "xfs", "path": "/srv/erp"}]},
    "resources": [{"postgresql": {"version": "17", "port": 5432, "data_directory": "/srv/erp/pgdata"}}],
    "objectives": {"switchover_seconds": 3, "takeover_seconds": 5, "lost_transactions": 0},
}]}
BAD_INPUT = {
    "holdfast_luns": [{"name": "erp-lock", "size": "1 MiB"}, {"name": "erp-data", "size": "5 GiB"}],
    "holdfast_initiator_names": {"node1": "iqn.2026-11.org.example:x", "node2": "iqn.2026-11.org.example:x"},
    "holdfast_secrets": {},
}


def test_all_of_a_bad_input_is_told_at_once_and_nothing_is_touched(deployed: Site) -> None:
    bad = json.loads(json.dumps(PACKAGE))
    package = bad["holdfast_packages"][0]
    package["nodes"], package["virtual_addresses"][0]["address"] = ["node1", "node9"], "10.20.0.350/24"
    done = deployed.run("build_cluster", "-e", json.dumps({**bad, **BAD_INPUT}))
    assert done.returncode != 0
    for place in ("holdfast_packages[0].nodes[1]: node9", "holdfast_packages[0].virtual_addresses[0].address",
                  "holdfast_initiator_names.node2", "holdfast_packages[0].storage.lock_lun: erp-lock is too small",
                  "holdfast_secrets.cluster_key", "postgresql_service_accounts[0].password"):
        assert place in done.stdout, place
    assert not changed(done.stdout)
