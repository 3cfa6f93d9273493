"""iscsi_target with the inventory's inputs."""

from __future__ import annotations

import json

LUNS = {"erp-lock", "erp-data", "shop-lock", "shop-data", "spare"}


def saved(san1):
    return json.loads(san1.file("/etc/rtslib-fb-target/saveconfig.json").content_string)


def test_target_is_served_on_both_networks_only(san1):
    listening = san1.check_output("ss -Hltn 'sport = :3260'")
    assert {line.split()[3] for line in listening.splitlines()} == {"10.20.1.5:3260", "10.20.2.5:3260"}


def test_every_lun_is_a_file_without_write_cache(san1):
    stores = saved(san1)["storage_objects"]
    assert {store["name"].rpartition(":")[2].removeprefix("lab-") for store in stores} >= LUNS or len(stores) == len(LUNS)
    assert not any(store["write_back"] for store in stores)
    assert {san1.file(f"/var/lib/holdfast/luns/{lun}").is_file for lun in LUNS} == {True}


def test_every_initiator_has_chap_in_both_directions(san1):
    acls = [acl for target in saved(san1)["targets"] for group in target["tpgs"] for acl in group["node_acls"]]
    assert len(acls) == 4
    assert all(acl["chap_password"] and acl["chap_mutual_password"] for acl in acls)


def test_it_comes_back_at_boot(san1):
    assert san1.service("rtslib-fb-targetctl").is_enabled
    assert san1.mount_point("/var/lib/holdfast/luns").exists


def test_check_mode_sees_nothing_to_do(changes):
    assert changes("molecule/array/converge.yml") == []


def test_check_mode_tells_what_changed_inputs_would_do_and_does_nothing(changes, san1):
    before = san1.file("/etc/rtslib-fb-target/saveconfig.json").sha256sum
    assert changes("molecule/array/change.yml") != []
    assert san1.file("/etc/rtslib-fb-target/saveconfig.json").sha256sum == before
