"""The roles of a package with changed inputs, while both packages serve."""

from __future__ import annotations

import json

import pytest


def test_both_packages_still_serve_where_they_were(node):
    for home, name in (("node1", "erp"), ("node2", "shop")):
        assert json.loads(node(home).check_output("holdfastctl status --json"))["packages"][name]["state"] == "owner"


def test_lun_volume_and_file_system_grew_online(node):
    assert int(node("node1").check_output("df --output=size -B1 /srv/erp | tail -1")) > 2.8 * (1 << 30)


def test_the_running_postgresql_took_its_setting(node):
    ask = "runuser -u postgres -- psql -h /var/run/postgresql -tAc"
    assert node("node1").check_output(f"{ask} 'show work_mem'") == "8MB"


def test_mariadb_has_its_setting_for_the_next_start(node):
    assert "max_connections" in node("node2").check_output("cat /srv/shop/data/holdfast.cnf")


def test_keepalived_has_its_setting(any_node):
    assert "vrrp_garp_master_refresh 15" in any_node.file("/etc/keepalived/keepalived.conf").content_string


def test_check_mode_sees_nothing_to_do(changes):
    assert changes("molecule/package/change.yml") == []


@pytest.mark.parametrize(("name", "target"), [("erp", "node2"), ("shop", "node1"), ("erp", "node1"), ("shop", "node2")])
def test_either_node_takes_the_others_package(name, target, node, playbook):
    done = playbook("playbooks/switch_package.yml", "-e", f"package={name}", "-e", f"node={target}")
    assert done.returncode == 0, done.stdout
    status = json.loads(node(target).check_output("holdfastctl status --json"))["packages"][name]
    assert status["state"] == "owner"
