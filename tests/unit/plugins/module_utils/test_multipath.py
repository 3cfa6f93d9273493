"""multipathd's JSON (recorded), and what a node still lacks until every LUN has its map."""

from __future__ import annotations

import json

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils import multipath_node, multipath_plan
from ansible_collections.holdfast.cluster.plugins.module_utils.errors import CommandError, ParseError, RefusedError
from ansible_collections.holdfast.cluster.plugins.module_utils.multipath_json import parse_multipathd_maps

from .support import described, recorded

RECORDED = recorded("multipathd_maps_0.11.1.json")
WWID = "360014058be82cb0d9755838a9c04aacc"
WANTED = [{"name": "erp-data", "wwid": WWID, "paths": 2}]


def test_recorded_maps():
    maps = parse_multipathd_maps(RECORDED)
    data = maps["erp-data"]
    assert sorted(maps) == ["erp-data", "erp-lock"]
    assert (data["wwid"], data["dm"], data["paths_up"]) == (WWID, "dm-1", 2)
    assert [(p["device"], p["host"], p["usable"]) for p in data["paths"]] == [
        ("sdb", "10.20.1.11", True),
        ("sdd", "10.20.2.11", True),
    ]


def test_a_failed_path_is_not_counted():
    document = json.loads(RECORDED)
    document["maps"][1]["path_groups"][0]["paths"][0]["chk_st"] = "faulty"
    assert parse_multipathd_maps(json.dumps(document))["erp-data"]["paths_up"] == 1


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "timeout\n",
        "fail\n",
        RECORDED[:-200],
        '{"major_version": 1, "maps": []}',
        '{"major_version": 0}',
        '{"major_version": 0, "maps": [{}]}',
    ],
)
def test_a_broken_answer_is_an_error_and_not_no_maps(answer):
    with pytest.raises(ParseError):
        parse_multipathd_maps(answer)


def test_no_maps_is_a_valid_answer():
    assert parse_multipathd_maps('{"major_version": 0, "minor_version": 1, "maps": []}') == {}


def path(device, size=100, capacity=100):
    return {"device": device, "size": size, "capacity": capacity}


def node(paths, paths_up=2, size=100, open_count=0):
    maps = {"erp-data": {"wwid": WWID, "paths_up": paths_up, "size": size, "open_count": open_count}} if paths_up else {}
    return {"maps": maps, "luns": {WWID: paths}}


@pytest.mark.parametrize(
    ("before", "actions"),
    [
        (node([path("/dev/sda"), path("/dev/sdb")]), []),
        (node([], paths_up=0), ["scan_sessions for LUNs that are not seen on every path", "assemble_map erp-data"]),
        (node([path("/dev/sda"), path("/dev/sdb")], paths_up=1), ["assemble_map erp-data"]),
        (
            node([path("/dev/sda", capacity=200), path("/dev/sdb", capacity=200)]),
            ["rescan_path /dev/sda", "rescan_path /dev/sdb", "resize_map erp-data"],
        ),
        (node([path("/dev/sda", 200, 200), path("/dev/sdb", 200, 200)]), ["resize_map erp-data"]),
        (node([path("/dev/sda", capacity=None), path("/dev/sdb")]), []),
        (node([path("/dev/sda", 100, 100), path("/dev/sdb", 100, 200)]), ["rescan_path /dev/sdb"]),
    ],
)
def test_maps_that_are_missing_short_or_small(before, actions):
    assert described(multipath_plan.plan_maps(before, WANTED)) == actions


def test_maps_in_use_are_not_removed():
    paths = [path("/dev/sda"), path("/dev/sdb")]
    assert described(multipath_plan.plan_removal(node(paths), WANTED)) == [
        "flush_map erp-data", "delete_path /dev/sda", "delete_path /dev/sdb",
    ]  # fmt: skip
    with pytest.raises(RefusedError, match="in use: erp-data"):
        multipath_plan.plan_removal(node(paths, open_count=1), WANTED)
    assert multipath_plan.plan_removal(node([], paths_up=0), WANTED) == []


@pytest.mark.parametrize(
    ("said", "runs", "good"),
    [("failed to connect", True, True), ("", False, True), ("", True, False), ("timeout", False, False)],
)
def test_a_daemon_that_does_not_run_is_no_reason_to_fail(
    monkeypatch: pytest.MonkeyPatch, said: str, runs: bool, good: bool
) -> None:
    def refuse(argv: list[str]) -> None:
        raise CommandError(argv, 1, stderr=said)

    monkeypatch.setattr(multipath_node, "run", refuse)
    monkeypatch.setattr(multipath_node, "_daemon_runs", lambda: runs)
    if good:
        multipath_node._load_configuration()
    else:
        with pytest.raises(CommandError):
            multipath_node._load_configuration()
