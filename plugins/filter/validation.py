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
from ..module_utils.site_tests import arbitration
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


def read_observations(nodes: list[str], hostvars: Mapping[str, Any]) -> dict[str, Any]:
    """What the nodes registered as `validate_site_seen`; None for one that could not be asked."""
    return {node: hostvars[node].get("validate_site_seen", {}).get("observation") for node in nodes}


def choose_arbitration(
    site: dict[str, Any] | None, nodes: list[str], hostvars: Mapping[str, Any], only: list[str], check_mode: bool
) -> dict[str, Any]:
    """Which nodes try the arbitration, on which LUN, or why nobody does."""
    spares = views.spare_luns(site) if site else []
    seen = read_observations(nodes, hostvars)
    plan: dict[str, Any] = arbitration.plan_arbitration(site, spares, seen, only, check_mode)
    return plan


def validate(
    site: dict[str, Any] | None,
    problems: list[str],
    nodes: list[str],
    hostvars: Mapping[str, Any],
    only: list[str],
    plan: dict[str, Any],
) -> dict[str, Any]:
    """The report from what the nodes registered."""
    nodes_of_lun = {name: views.lun_nodes(site, name) for name in site["luns"]} if site else {}
    judged = judge_arbitration(plan, hostvars)
    report: dict[str, Any] = run_tests(site, problems, read_observations(nodes, hostvars), nodes_of_lun, judged, only)
    return report


def judge_arbitration(plan: dict[str, Any], hostvars: Mapping[str, Any]) -> Any:
    """The result of the arbitration from the answers of the nodes that tried it."""
    defended, ejected = (
        {node: hostvars[node].get(register, {}).get("paths") for node in plan["nodes"]}
        for register in ("arbitrate_lun_defended", "arbitrate_lun_ejected")
    )
    failures = {
        node: hostvars[node]["arbitrate_lun_failure"] for node in plan["nodes"] if "arbitrate_lun_failure" in hostvars[node]
    }
    return arbitration.judge_arbitration(plan, defended, ejected, failures)


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
            "arbitration_plan": choose_arbitration,
            "arbitration_keys": arbitration_keys,
        }
