"""The tests of a site tell what is wrong, what could not be looked at, and what was left out."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils.site_report import render_lines, render_report
from ansible_collections.holdfast.cluster.plugins.module_utils.site_tests.arbitration import (
    NAME,
    judge_arbitration,
    plan_arbitration,
)
from ansible_collections.holdfast.cluster.plugins.module_utils.site_tests.run import run_tests
from ansible_collections.holdfast.cluster.plugins.module_utils.site_tests.verdict import PASS, SKIPPED, Result

NETWORKS = {"client": "10.20.0", "heartbeat": "10.20.3"}
SITE = {
    "cluster": {
        "name": "lab",
        "heartbeat_networks": ["heartbeat", "client"],
        "storage_networks": ["storage_a", "storage_b"],
        "watchdog": "/dev/watchdog1",
    },
    "nodes": {
        node: {"id": number, "addresses": {name: f"{prefix}.{number}" for name, prefix in NETWORKS.items()}}
        for node, number in (("node1", 11), ("node2", 12))
    },
    "luns": {"erp-data": {"size_bytes": 4096}},
    "packages": [{"name": "erp", "storage": {"filesystems": [{"path": "/srv/erp"}]}}],
}
NODES_OF_LUN = {"erp-data": ["node1", "node2"]}


def observe(number: int) -> dict:
    return {
        "built": True,
        "interfaces": {
            name: {"mtu": 1500, "up": True, "addresses": [f"{prefix}.{number}/24"]} for name, prefix in NETWORKS.items()
        },
        "reachability": [{"network": "client", "address": "10.20.0.99", "bytes": 1500, "answers": True}],
        "luns": {
            "erp-data": {
                "error": "",
                "paths": ["/dev/sda", "/dev/sdb"],
                "bytes": [4096],
                "read_milliseconds": 1.0,
                "keys": [],
                "holder": None,
                "type": None,
                "missing_capabilities": [],
            }
        },
        "kernel": "6.12",
        "packages": {"keepalived": "2.3.3"},
        "clock": {"wall": 1000.0, "synchronised": True},
        "watchdogs": ["watchdog1"],
        "fstab": [{"source": "/dev/sda1", "path": "/"}],
        "units": {"postgresql.service": "disabled"},
        "names": {"node1": ["10.20.3.11"]},
    }


NO_SPARE = Result("storage", NAME, SKIPPED, ("there is no spare LUN",))


def run(seen: dict, arbitration: Result = NO_SPARE, only: tuple = ()) -> dict:
    return run_tests(SITE, [], seen, NODES_OF_LUN, arbitration, only)


def both() -> dict:
    return {"node1": observe(11), "node2": observe(12)}


def test_right_site_passes_and_names_what_was_skipped():
    report = run(both())
    assert report["verdict"] == "SKIPPED"
    skipped = [test for test in report["tests"] if test["verdict"] == "SKIPPED"]
    assert [test["category"] for test in skipped] == ["storage"]
    assert skipped[0]["findings"]


#: path into node2's observation, value, verdict, part of the finding
BROKEN = [
    (("interfaces", "client", "addresses"), [], "FAIL", "no interface carries 10.20.0.12"),
    (("interfaces", "client", "addresses"), ["10.20.0.11/24"], "FAIL", "10.20.0.11 is on node1 and on node2"),
    (("reachability", 0, "answers"), False, "FAIL", "does not answer to 1500 bytes"),
    (("luns", "erp-data", "error"), "no path", "FAIL", "node2: erp-data: no path"),
    (("luns", "erp-data", "paths"), ["/dev/sda"], "FAIL", "has 1 paths of 2"),
    (("luns", "erp-data", "bytes"), [2048], "FAIL", "has 2048 bytes"),
    (("luns", "erp-data", "bytes"), [2048, 4096], "FAIL", "have different sizes"),
    (("luns", "erp-data", "holder"), "0x1", "FAIL", "are these the same LUN"),
    (("luns", "erp-data", "missing_capabilities"), ["APTPL"], "FAIL", "lacks APTPL"),
    (("luns", "erp-data", "read_milliseconds"), 900.0, "WARNING", "took 900.0 ms"),
    (("kernel",), "6.1", "WARNING", "node2 6.1"),
    (("packages", "keepalived"), "2.2.7", "FAIL", "node2 2.2.7"),
    (("clock", "wall"), 5000.0, "WARNING", "4000 s behind"),
    (("watchdogs",), [], "FAIL", "no /dev/watchdog1"),
    (("fstab", 0, "path"), "/srv/erp", "FAIL", "mounts /srv/erp of package erp"),
    (("units", "postgresql.service"), "enabled", "FAIL", "starts at boot"),
    (("names", "node1"), [], "FAIL", "node1 does not resolve"),
]


@pytest.mark.parametrize(("path", "value", "verdict", "finding"), BROKEN)
def test_fault_is_found(path, value, verdict, finding):
    seen = copy.deepcopy(both())
    target = seen["node2"]
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    report = run(seen)
    told = [test for test in report["tests"] if any(finding in line for line in test["findings"])]
    # A LUN that a node does not see leaves the tests that would look at it UNKNOWN, with the same finding.
    assert [test["verdict"] for test in told if test["verdict"] != "UNKNOWN"] == [verdict]


def test_node_that_could_not_be_asked_is_unknown_and_never_green():
    report = run({"node1": observe(11), "node2": None})
    assert report["verdict"] == "UNKNOWN"
    assert {test["name"] for test in report["tests"] if test["verdict"] == "PASS"} == {"definitions"}


def test_broken_inventory_fails_and_leaves_the_rest_unknown():
    report = run_tests(None, ["holdfast_luns: is missing"], {}, {}, NO_SPARE)
    assert [test["verdict"] for test in report["tests"]] == ["FAIL", "UNKNOWN", "UNKNOWN", "UNKNOWN"]


@pytest.mark.parametrize("only", [test["name"] for test in run(both(), Result("storage", NAME, PASS))["tests"]])
def test_every_test_can_be_selected_alone(only):
    report = run(both(), Result("storage", NAME, PASS), only=(only,))
    assert [(test["name"], test["verdict"]) for test in report["tests"]] == [(only, "PASS")]


@pytest.mark.parametrize("category", ["inventory", "network", "storage", "system"])
def test_a_category_can_be_selected(category):
    assert {test["category"] for test in run(both(), only=(category,))["tests"]} == {category}


def test_a_name_that_selects_nothing_is_told_and_never_green():
    report = run(both(), only=("network", "nosuch"))
    assert report["verdict"] == "UNKNOWN"
    assert "there are inventory, network, storage, system, definitions" in report["tests"][-1]["findings"][0]


def bare(number: int) -> dict:
    """What a node without anything of the cluster sees of itself."""
    probe = {"network": "client", "address": "10.20.0.99", "bytes": 1500, "answers": None}
    nothing = {"built": False, "luns": {"erp-data": {"error": "no path"}}, "watchdogs": [], "names": {"node1": []}}
    return {**observe(number), **nothing, "packages": {}, "reachability": [probe]}


def test_a_site_that_is_not_built_skips_what_is_not_there_yet_and_says_why():
    report = run({"node1": bare(11), "node2": bare(12)})
    assert report["verdict"] == "SKIPPED"
    skipped = [test for test in report["tests"] if test["verdict"] == "SKIPPED" and test["name"] != NAME]
    others = {"there is a watchdog", "names resolve", "full-size packets pass end to end"}
    assert {test["name"] for test in skipped if test["category"] != "storage"} == others
    assert all(test["verdict"] == "SKIPPED" for test in report["tests"] if test["category"] == "storage")
    assert all("build_cluster.yml" in test["findings"][0] for test in skipped)


def test_before_the_build_a_network_that_does_not_pass_packets_still_fails():
    node = bare(12)
    node["reachability"][0]["answers"] = False
    assert run({"node1": bare(11), "node2": node})["verdict"] == "FAIL"


@pytest.mark.parametrize("other", [observe(12), None])
def test_where_another_node_is_built_or_silent_nothing_is_excused(other):
    tests = {test["name"]: test["verdict"] for test in run({"node1": bare(11), "node2": other})["tests"]}
    assert tests["LUNs can be reserved"] == "UNKNOWN"
    assert tests["every node sees its LUNs"] == tests["there is a watchdog"] == "FAIL"


def test_every_test_of_a_site_without_luns_is_skipped_by_its_name():
    seen = {node: {**observation, "luns": {}} for node, observation in both().items()}
    report = run_tests({**SITE, "luns": {}}, [], seen, {}, NO_SPARE)
    storage = [test for test in report["tests"] if test["category"] == "storage"]
    assert {test["verdict"] for test in storage} == {"SKIPPED"}
    assert all(test["findings"] for test in storage)
    assert "LUNs can be reserved" in {test["name"] for test in storage}


PLAN = {"nodes": ["a", "b"], "lun": "spare", "skipped": None, "unknown": None}
GOOD = ({"a": {"sda": "written"}, "b": {"sda": "refused"}}, {"a": {"sda": "refused"}, "b": {"sda": "written"}})


def spared(number: int, error: str = "") -> dict:
    node = observe(number)
    return {**node, "luns": {**node["luns"], "spare": {**node["luns"]["erp-data"], "error": error}}}


#: spare LUNs, node1, node2, selection, check mode, what becomes of it
ARBITRATIONS = [
    (["spare"], spared(11), spared(12), (), False, "nodes"),
    (["spare"], spared(11), spared(12), ("storage",), False, "nodes"),
    (["spare"], spared(11), spared(12), (NAME,), False, "nodes"),
    (["spare"], spared(11), spared(12), ("network",), False, "skipped"),
    (["spare"], spared(11), spared(12), (), True, "skipped"),
    ([], spared(11), spared(12), (), False, "skipped"),
    (["spare"], bare(11), bare(12), (), False, "skipped"),
    (["spare"], spared(11), spared(12, "no path"), (), False, "unknown"),
    (["spare"], spared(11), None, (), False, "unknown"),
]


@pytest.mark.parametrize(("spares", "first", "second", "only", "check_mode", "expected"), ARBITRATIONS)
def test_arbitration_is_tried_only_where_it_is_wanted_and_can_be(spares, first, second, only, check_mode, expected):
    plan = plan_arbitration(SITE, spares, {"node1": first, "node2": second}, only, check_mode)
    assert [key for key in ("nodes", "skipped", "unknown") if plan[key]] == [expected]
    if expected != "nodes":
        result = judge_arbitration(plan, {}, {}, {})
        assert (result.verdict, result.findings) == (expected.upper(), (plan[expected],))


def test_arbitration_that_goes_as_it_must_passes():
    assert judge_arbitration(PLAN, *GOOD, {}) == Result("storage", NAME, PASS)


@pytest.mark.parametrize("node", ["a", "b"])
def test_array_that_lets_both_write_is_found(node):
    defended, ejected = copy.deepcopy(GOOD)
    defended[node]["sda"] = ejected[node]["sda"] = "written"
    result = judge_arbitration(PLAN, defended, ejected, {})
    assert (result.verdict, len(result.findings)) == ("FAIL", 1)


def test_arbitration_without_answers_is_a_finding():
    assert len(judge_arbitration(PLAN, {}, {}, {}).findings) == 4


def test_arbitration_that_could_not_go_on_is_unknown():
    result = judge_arbitration(PLAN, {}, {}, {"b": "a foreign key is registered"})
    assert (result.verdict, result.findings) == ("UNKNOWN", ("b: a foreign key is registered",))


def test_page_and_lines_carry_the_findings():
    seen = both()
    seen["node1"]["kernel"] = "<script>"
    report = run(seen)
    page = render_report(report, "lab", "now")
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert any("kernels are equal" in line for line in render_lines(report))
