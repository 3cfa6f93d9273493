"""iscsi_target with changed inputs."""

from __future__ import annotations

import json


def test_the_lun_grew(san1):
    assert san1.file("/var/lib/holdfast/luns/erp-data").size == 3 << 30


def test_the_spare_is_served_no_more_and_its_file_stays(san1):
    saved = san1.file("/etc/rtslib-fb-target/saveconfig.json").content_string
    assert "spare" not in saved
    assert san1.file("/var/lib/holdfast/luns/spare").exists


def test_the_node_has_its_new_name(san1):
    saved = json.loads(san1.file("/etc/rtslib-fb-target/saveconfig.json").content_string)
    names = {acl["node_wwn"] for target in saved["targets"] for group in target["tpgs"] for acl in group["node_acls"]}
    assert names == {"iqn.2026-11.lab.holdfast:lab:node1", "iqn.2026-11.org.example:other"}


def test_check_mode_sees_nothing_to_do(changes):
    assert changes("molecule/array/change.yml") == []
