# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""The validation of a site, for its playbook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..module_utils import site_report
from ..module_utils.definition import views
from ..module_utils.reservation_key import MAX_EPOCH, build_key
from ..module_utils.scsi_persistent import key_text
from ..module_utils.site_tests.arbitration import judge_arbitration
from ..module_utils.site_tests.run import run_tests


def wanted_observation(site: dict[str, Any], node: str) -> dict[str, Any]:
    """Options of site_observation_info for one node."""
    others = {name: member for name, member in site["nodes"].items() if name != node}
    networks = site["nodes"][node]["addresses"]
    peers = {
        network: [member["addresses"][network] for member in others.values() if network in member["addresses"]]
        for network in networks
    }
    luns = {name: lun["wwid"] for name, lun in site["luns"].items() if node in views.lun_nodes(site, name)}
    return {"peers": peers, "luns": luns, "names": [*site["nodes"], *(package["name"] for package in site["packages"])]}


def validate(
    site: dict[str, Any] | None,
    problems: list[str],
    nodes: list[str],
    hostvars: Mapping[str, Any],
    only: list[str],
    arbitration_nodes: list[str],
) -> dict[str, Any]:
    """The report from what the nodes registered as `validate_site_seen`."""
    seen = {node: hostvars[node].get("validate_site_seen", {}).get("observation") for node in nodes}
    nodes_of_lun = {name: views.lun_nodes(site, name) for name in site["luns"]} if site else {}
    arbitration = read_arbitration(arbitration_nodes, hostvars)
    report: dict[str, Any] = run_tests(site, problems, seen, nodes_of_lun, arbitration, only)
    return report


def read_arbitration(nodes: list[str], hostvars: Mapping[str, Any]) -> dict[str, Any] | None:
    """The answers of the two nodes that tried it, judged; None where it was not tried."""
    if not nodes:
        return None
    defended, ejected = (
        {node: hostvars[node].get(register, {}).get("paths") for node in nodes}
        for register in ("arbitrate_lun_defended", "arbitrate_lun_ejected")
    )
    judged: dict[str, Any] = judge_arbitration(nodes, defended, ejected)
    return judged


def arbitration_keys(site: dict[str, Any], nodes: list[str]) -> dict[str, str]:
    """A key for each node that no start of an agent uses: that of the last epoch."""
    cluster = site["cluster"]["name"]
    return {node: key_text(build_key(cluster, site["nodes"][node]["id"], MAX_EPOCH)) for node in nodes}


class FilterModule:
    """Filters of validate_site.yml."""

    def filters(self) -> dict[str, Any]:
        return {
            "validation_wishes": wanted_observation,
            "validation_report": validate,
            "validation_html": site_report.render_report,
            "validation_lines": site_report.render_lines,
            "arbitration_keys": arbitration_keys,
            "spare_luns": views.spare_luns,
        }
