"""Paths of a LUN from a sysfs laid out like a node's."""

from __future__ import annotations

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils.errors import HoldfastError
from ansible_collections.holdfast.cluster.plugins.module_utils.scsi_paths import find_paths, session_isid

from .support import recorded

WWID = "36001405e1295acd130e5303b96e78be9"
INITIATOR = "iqn.2026-11.lab.holdfast:lab:node1"


def make_disk(root, name, session):
    device = root / "devices" / "platform" / "host0" / f"session{session}" / "target0:0:0" / "0:0:0:0"
    device.mkdir(parents=True)
    (device / "vpd_pg83").write_bytes(bytes.fromhex(recorded("vpd_pg83_lio.hex")))
    (device / "state").write_text("running\n")
    (root / "block" / name).mkdir(parents=True)
    (root / "block" / name / "device").symlink_to(device)
    session_class = root / "class" / "iscsi_session" / f"session{session}"
    session_class.mkdir(parents=True)
    (session_class / "initiatorname").write_text(INITIATOR + "\n")


def test_all_paths_of_a_wwid_with_their_nexus(tmp_path):
    make_disk(tmp_path, "sda", 1)
    make_disk(tmp_path, "sdc", 18)
    (tmp_path / "block" / "vda").mkdir()
    paths = find_paths(WWID, sysfs=tmp_path)
    assert [(p.device, p.state, p.session, p.target_port) for p in paths] == [
        ("/dev/sda", "running", 1, 1),
        ("/dev/sdc", "running", 18, 1),
    ]
    assert paths[1].initiator == f"{INITIATOR},i,0x00023d000012"


def test_a_lun_without_path_is_an_error(tmp_path):
    (tmp_path / "block").mkdir()
    with pytest.raises(HoldfastError, match="log in"):
        find_paths(WWID, sysfs=tmp_path)
    with pytest.raises(HoldfastError, match="does not exist"):
        find_paths(str(tmp_path / "mapper" / "erp-data"), sysfs=tmp_path)


def test_isid_follows_the_session_number():
    assert session_isid(0x010203) == "0x00023d010203"
