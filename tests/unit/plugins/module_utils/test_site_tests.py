"""The tests of a site tell what is wrong, what could not be looked at, and what was left out."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils.site_report import render_lines, render_report
from ansible_collections.holdfast.cluster.plugins.module_utils.site_tests.arbitration import judge_arbitration
from ansible_collections.holdfast.cluster.plugins.module_utils.site_tests.run import run_tests

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


def run(seen: dict, **options) -> dict:
    return run_tests(SITE, [], seen, NODES_OF_LUN, **options)


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
    assert [test["verdict"] for test in told] == [verdict]


def test_node_that_could_not_be_asked_is_unknown_and_never_green():
    report = run({"node1": observe(11), "node2": None})
    assert report["verdict"] == "UNKNOWN"


def test_broken_inventory_fails_and_leaves_the_rest_unknown():
    report = run_tests(None, ["holdfast_luns: is missing"], {}, {})
    assert [test["verdict"] for test in report["tests"]] == ["FAIL", "UNKNOWN", "UNKNOWN", "UNKNOWN"]


def test_one_category_can_be_selected():
    assert {test["category"] for test in run(both(), only=["network"])["tests"]} == {"network"}


def test_nothing_selected_is_unknown():
    assert run(both(), only=["nosuch"])["verdict"] == "UNKNOWN"


GOOD = ({"a": {"sda": "written"}, "b": {"sda": "refused"}}, {"a": {"sda": "refused"}, "b": {"sda": "written"}})


def test_arbitration_that_goes_as_it_must_has_no_finding():
    assert judge_arbitration(["a", "b"], *GOOD) == {"findings": []}


@pytest.mark.parametrize("node", ["a", "b"])
def test_array_that_lets_both_write_is_found(node):
    defended, ejected = copy.deepcopy(GOOD)
    defended[node]["sda"] = ejected[node]["sda"] = "written"
    assert len(judge_arbitration(["a", "b"], defended, ejected)["findings"]) == 1


def test_arbitration_without_answers_is_a_finding():
    assert len(judge_arbitration(["a", "b"], {}, {})["findings"]) == 4


def test_page_and_lines_carry_the_findings():
    seen = both()
    seen["node1"]["kernel"] = "<script>"
    report = run(seen)
    page = render_report(report, "lab", "now")
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert any("kernels are equal" in line for line in render_lines(report))
