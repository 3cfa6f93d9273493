"""Node records of open-iscsi 2.1.11, edited without losing anything."""

from __future__ import annotations

from ansible_collections.holdfast.cluster.plugins.module_utils import iscsi_record

from .support import recorded

RECORD = recorded("iscsi_record_2.1.11.txt")
TIMEOUTS = {"replacement": 5, "noop_interval": 2, "noop_timeout": 2, "login": 5, "abort": 5}
CHAP = {
    "username": "node1", "password": "recorded-secret", "mutual_username": "lab", "mutual_password": "recorded-secret",
}  # fmt: skip
SETTINGS = iscsi_record.build_node_settings(TIMEOUTS, CHAP)


def test_recorded_record_is_as_wanted():
    assert iscsi_record.find_wrong_settings(RECORD, SETTINGS) == []
    assert iscsi_record.parse_settings(RECORD)["node.conn[0].address"] == "10.20.1.5"


def test_differences_are_named_and_replaced_in_place():
    wanted = {**SETTINGS, "node.session.timeo.replacement_timeout": "9", "node.new": "1"}
    assert iscsi_record.find_wrong_settings(RECORD, wanted) == ["node.new", "node.session.timeo.replacement_timeout"]
    changed = iscsi_record.replace_settings(RECORD, wanted)
    assert iscsi_record.find_wrong_settings(changed, wanted) == []
    assert changed.rstrip().endswith("# END RECORD")
    untouched = {k: v for k, v in iscsi_record.parse_settings(RECORD).items() if k not in wanted}
    assert untouched.items() <= iscsi_record.parse_settings(changed).items()


def test_the_last_of_two_equal_names_counts_and_only_one_is_left():
    text = "a = 1\n# a = 7\na = 2\n"
    assert iscsi_record.parse_settings(text) == {"a": "2"}
    assert iscsi_record.replace_settings(text, {"a": "3"}) == "a = 3\n# a = 7\n"
