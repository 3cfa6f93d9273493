"""The validation of a site from the call of the playbook to its files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.playbooks.conftest import HOSTS, NETWORKS, Run

LUNS = ("erp-lock", "erp-data", "spare")
DEFINED = [{"name": "erp-lock", "size": "64 MiB"}, {"name": "erp-data", "size": "4 GiB"}, {"name": "spare", "size": "64 MiB"}]
LUN = {"error": "", "paths": ["/dev/sda", "/dev/sdb"], "bytes": [4 << 30], "read_milliseconds": 1.0, "keys": [], "holder": None,
       "type": None, "missing_capabilities": []}  # fmt: skip
ARBITRATION = "the owner keeps a LUN and an ejected node is refused"


def observation(node: str, built: bool = True) -> dict[str, Any]:
    number = HOSTS[node][1]
    return {
        "built": built,
        "interfaces": {
            name: {"mtu": 1500, "up": True, "addresses": [f"{prefix}.{number}/24"]} for name, prefix in NETWORKS.items()
        },
        "reachability": [],
        "luns": {name: LUN if built else {"error": "no path"} for name in LUNS},
        "kernel": "6.12",
        "packages": {"python3": "3.13"},
        "clock": {"wall": 1000.0, "synchronised": True},
        "watchdogs": ["watchdog1"] if built else [],
        "fstab": [],
        "units": {},
        "names": {},
    }


def answers(built: bool = True) -> dict[str, Any]:
    """Two nodes that see the same, and an array that refuses whom it should."""
    observed = {f"site_observation_info {node}": {"observation": observation(node, built)} for node in ("node1", "node2")}
    writes = {f"site_write_probe {node}": {"paths": {"/dev/sda": "written"}} for node in ("node1", "node2")}
    return {**observed, **writes}


@pytest.fixture
def validate(site, tmp_path):
    """The report and the run, for a selection of tests."""

    def call(
        only: tuple[str, ...] = (), built: bool = True, words: tuple[str, ...] = (), **more: Any
    ) -> tuple[dict[str, Any], Run]:
        run = site.run("validate_site", *words, answers={**answers(built), **more}, holdfast_luns=DEFINED,
                       validate_site_only=list(only), validate_site_directory=str(tmp_path))
        if "--check" in words:
            return {}, run
        assert (tmp_path / "validation.json").exists(), run.output
        return json.loads((tmp_path / "validation.json").read_text()), run

    return call


def verdicts(report: dict[str, Any]) -> dict[str, str]:
    return {test["name"]: test["verdict"] for test in report["tests"]}


def test_a_built_site_has_its_report_as_json_and_as_a_page(validate, tmp_path):
    report, run = validate(("inventory", "network", "system"))
    assert run.code == 0, run.output
    assert (report["verdict"], set(verdicts(report).values())) == ("PASS", {"PASS"})
    assert "Validation of lab" in (tmp_path / "validation.html").read_text()
    # Nobody touched a LUN for tests that were not asked for.
    assert run.asked("scsi_reservation") == run.asked("site_write_probe") == []


def test_an_array_that_lets_an_ejected_node_write_fails_and_gets_its_lun_back(validate):
    report, run = validate((ARBITRATION,))
    assert run.code != 0
    assert verdicts(report) == {ARBITRATION: "FAIL"}
    assert [call.args.get("state") for call in run.asked("scsi_reservation")][-2:] == ["absent", "absent"]
    touched = run.asked("scsi_reservation") + run.asked("site_write_probe")
    assert len({call.args["lun"] for call in touched}) == 1


def test_an_arbitration_that_breaks_off_leaves_a_report_and_no_key(validate):
    broken = {"failed": True, "msg": "a foreign key is registered", "error": "RefusedError"}
    report, run = validate(**{"scsi_reservation node1": broken})
    assert verdicts(report)[ARBITRATION] == "UNKNOWN"
    assert "node1: a foreign key is registered" in str(report["tests"])
    assert [call.args.get("state") for call in run.asked("scsi_reservation")][-2:] == ["absent", "absent"]


def test_before_the_build_it_says_what_is_not_there_yet_and_is_no_failure(validate):
    report, run = validate(built=False)
    assert run.code == 0, run.output
    assert report["verdict"] == "SKIPPED"
    assert all(test["findings"] for test in report["tests"] if test["verdict"] == "SKIPPED")
    assert run.asked("scsi_reservation") == []


def test_check_mode_says_why_it_writes_to_no_lun(validate):
    _, run = validate(("storage",), words=("--check",))
    assert run.asked("scsi_reservation") == run.asked("site_write_probe") == []
    assert "check mode: it would write to a LUN" in run.output


def test_a_node_that_cannot_tell_is_unknown(validate):
    failed = {"failed": True, "msg": "ip is not installed on this node", "error": "HoldfastError"}
    report, run = validate(("network",), **{"site_observation_info node2": failed})
    assert run.code != 0
    assert report["verdict"] == "UNKNOWN"
