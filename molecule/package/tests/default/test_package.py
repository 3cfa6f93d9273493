"""shared_volume, postgresql_service, mariadb_service, virtual_address and package with the inventory's inputs: two packages."""

from __future__ import annotations

import json

import pytest

PACKAGES = {"erp": ("node1", "10.20.0.50", "/srv/erp"), "shop": ("node2", "10.20.0.51", "/srv/shop")}
OTHER = {"node1": "node2", "node2": "node1"}


@pytest.fixture(params=PACKAGES)
def package(request):
    """Each package in turn: name, the node that prefers it, address and file system."""
    return (request.param, *PACKAGES[request.param])


def test_each_node_owns_the_package_that_prefers_it(package, node):
    name, home, address, path = package
    status = json.loads(node(home).check_output("holdfastctl status --json"))["packages"][name]
    assert status["state"] == "owner"
    assert node(home).mount_point(path).exists
    assert f" {address}/" in node(home).check_output("ip -o address show client")
    assert not node(OTHER[home]).mount_point(path).exists
    assert f" {address}/" not in node(OTHER[home]).check_output("ip -o address show client")


def test_the_owner_holds_every_lun_on_every_path(package, node):
    name, home, _, _ = package
    status = json.loads(node(home).check_output("holdfastctl status --json"))["packages"][name]
    assert set(status["keys"]) == {f"{name}-lock", f"{name}-data"}
    for lun, paths in status["keys"].items():
        assert len(paths) == 2
        assert status["holder"][lun] == status["key"]


def test_nothing_of_a_package_starts_by_itself(any_node):
    for unit in ("postgresql", "mariadb"):
        assert not any_node.service(unit).is_enabled
    assert "/srv/" not in any_node.file("/etc/fstab").content_string
    for unit in ("keepalived", "holdfast-agent"):
        assert any_node.service(unit).is_enabled and any_node.service(unit).is_running


def test_postgresql_serves_with_checksums_over_tls(node):
    ask = "runuser -u postgres -- psql -h /var/run/postgresql -tAc"
    for setting, value in {"data_checksums": "on", "ssl": "on", "password_encryption": "scram-sha-256"}.items():
        assert node("node1").check_output(f"{ask} 'show {setting}'") == value


def test_mariadb_serves(node):
    assert node("node2").check_output("mariadb --socket /run/mysqld/holdfast-shop-mariadb.sock -Ne 'select 1'") == "1"


def test_lvm_sees_the_listed_devices_only(any_node):
    assert "use_devicesfile = 1" in any_node.file("/etc/lvm/lvmlocal.conf").content_string
    assert any_node.file("/etc/lvm/devices/system.devices").exists


def test_an_event_of_a_lun_starts_no_activation_by_lvm(any_node):
    """udev's own record of an event of each map, which 69-lvm.rules goes by."""
    for name in PACKAGES:
        any_node.check_output(f"udevadm trigger --settle --action=change /dev/mapper/{name}-data")
        assert "DM_ACTIVATION=0" in any_node.check_output(f"udevadm info --query=property /dev/mapper/{name}-data").splitlines()


def test_check_mode_sees_nothing_to_do(changes):
    assert changes("molecule/package/converge.yml") == []


def test_plan_says_that_both_stay_as_they_are(playbook):
    done = playbook("playbooks/plan_changes.yml")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count('"change": "same"') == 2, done.stdout


def test_show_gives_the_same_state_as_json(playbook, tmp_path):
    done = playbook("playbooks/show_packages.yml", "-e", f"show_packages_file={tmp_path}/packages.json")
    assert done.returncode == 0, done.stdout
    shown = json.loads((tmp_path / "packages.json").read_text())["packages"]
    assert {name: package["owner"] for name, package in shown.items()} == {"erp": "node1", "shop": "node2"}


def test_the_site_is_valid_while_it_serves(playbook, tmp_path):
    done = playbook("playbooks/validate_site.yml", "-e", f"validate_site_directory={tmp_path}")
    assert done.returncode == 0, done.stdout
    report = json.loads((tmp_path / "validation.json").read_text())
    assert report["verdict"] in ("PASS", "WARNING")
    assert "<html" in (tmp_path / "validation.html").read_text()


def test_removal_wants_an_explicit_yes(playbook):
    done = playbook("playbooks/remove_cluster.yml")
    assert done.returncode != 0
    assert "Say yes with -e remove_cluster=lab" in done.stdout
