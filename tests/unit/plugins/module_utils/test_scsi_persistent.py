"""Persistent reservation commands against the answers of a Linux target and the layouts of SPC-4."""

from __future__ import annotations

import json

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils import scsi_persistent as pr
from ansible_collections.holdfast.cluster.plugins.module_utils.errors import ParseError
from ansible_collections.holdfast.cluster.plugins.module_utils.scsi_generic import additional_sense, sense_key
from ansible_collections.holdfast.cluster.plugins.module_utils.scsi_reservation_device import find_registered_key

from .support import recorded

KEY = 0xDC16A3C101000001
ANSWERS = {name: bytes.fromhex(text) for name, text in json.loads(recorded("persistent_reserve_in_lio_7.2.json")).items()}


def test_commands_have_the_layout_of_the_standard():
    assert pr.build_in_cdb(pr.READ_KEYS, 8200).hex() == "5e000000000000200800"
    assert pr.build_out_cdb(pr.PREEMPT_AND_ABORT, 5).hex() == "5f050500000000001800"
    assert pr.build_opcode_query_cdb(pr.PREEMPT_AND_ABORT).hex() == "a30c025f0005000000100000"
    parameters = pr.build_out_parameters(1, KEY, aptpl=True)
    assert (len(parameters), parameters.hex()) == (24, "0000000000000001" + f"{KEY:016x}" + "00000000" + "01000000")


def test_recorded_answers_of_a_reserved_lun():
    generation, keys = pr.parse_keys(ANSWERS["read_keys"])
    assert (generation, keys) == (4, [KEY, KEY])
    assert pr.parse_reservation(ANSWERS["read_reservation"]) == {"key": KEY, "type": 5}
    assert pr.parse_capabilities(ANSWERS["report_capabilities"]) == {
        "aptpl_capable": True, "aptpl_active": True, "types": [1, 3, 5, 6, 7, 8],
    }  # fmt: skip
    generation, registrations = pr.parse_full_status(ANSWERS["read_full_status"])
    assert generation == 4
    assert [(r.key, r.initiator[-16:], r.target_port, r.holder, r.type) for r in registrations] == [
        (KEY, "i,0x00023d000001", 1, True, 5),
        (KEY, "i,0x00023d000002", 2, False, 0),
    ]


def test_registrations_that_survived_a_restart_of_the_array_have_lost_their_target_port():
    restored = json.loads(recorded("persistent_reserve_in_lio_7.2_restored.json"))
    _generation, registrations = pr.parse_full_status(bytes.fromhex(restored["read_full_status"]))
    assert [r.target_port for r in registrations] == [0, 0]
    initiator = registrations[1].initiator
    assert find_registered_key({"initiator": initiator, "target_port": 2}, registrations) == KEY
    assert find_registered_key({"initiator": initiator[:-1] + "9", "target_port": 2}, registrations) is None
    exact = [pr.Registration(1, initiator, 0, False, 0), pr.Registration(2, initiator, 2, False, 0)]
    assert find_registered_key({"initiator": initiator, "target_port": 2}, exact) == 2


def test_unreserved_lun_has_no_holder():
    assert pr.parse_reservation(bytes.fromhex("0000000700000000")) is None
    assert pr.parse_keys(bytes.fromhex("0000000700000000")) == (7, [])


@pytest.mark.parametrize(
    ("parse", "name"),
    [
        (pr.parse_keys, "read_keys"),
        (pr.parse_reservation, "read_reservation"),
        (pr.parse_capabilities, "report_capabilities"),
        (pr.parse_full_status, "read_full_status"),
    ],
)
def test_a_cut_off_answer_is_an_error_and_not_an_empty_list(parse, name):
    with pytest.raises(ParseError):
        parse(ANSWERS[name][:-4] if name != "report_capabilities" else ANSWERS[name][:6])
    with pytest.raises(ParseError):
        parse(b"")


@pytest.mark.parametrize(("answer", "supported"), [("0003000a", True), ("0005000a", True), ("0001000a", False)])
def test_support_of_an_operation_code(answer, supported):
    assert pr.parse_opcode_query(bytes.fromhex(answer)) is supported


def test_keys_as_text():
    assert pr.parse_key("0xdc16a3c101000001") == pr.parse_key(KEY) == KEY
    assert pr.key_text(1) == "0x0000000000000001"
    for bad in ("0", "0x10000000000000000", "key"):
        with pytest.raises(ValueError):
            pr.parse_key(bad)


def test_sense_in_fixed_and_descriptor_format():
    fixed = bytes.fromhex("7000060000000010000000002a0500000000")
    assert (sense_key(fixed), additional_sense(fixed)) == (6, "2a/05")
    assert (sense_key(bytes.fromhex("72052400")), additional_sense(bytes.fromhex("72052400"))) == (5, "24/00")
    assert (sense_key(b""), additional_sense(b"")) == (0, "-")
