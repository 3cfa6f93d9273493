# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""What the nodes say about packages, put together for playbooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..module_utils import package_overview
from ..module_utils.definition.changes import find_refused, plan_packages


def read_overview(nodes: list[str], hostvars: Mapping[str, Any], register: str) -> dict[str, Any]:
    """The overview from the registered answers of package_info; a node without an answer did not answer."""
    answers = {}
    for node in nodes:
        answer = hostvars[node].get(register, {})
        answers[node] = answer if "packages" in answer else None
    overview: dict[str, Any] = package_overview.build_overview(answers)
    return overview


def find_outdated(nodes: list[str], hostvars: Mapping[str, Any], seen: str, written: list[str]) -> list[str]:
    """Nodes whose agent is older than what it reads: it was so when it was seen, or one of these registered tasks changed it.

    An agent that did not answer then was started since, and has read everything.
    """
    answered = {node: hostvars[node].get(seen, {}).get("node") for node in nodes}
    return [
        node
        for node in nodes
        if answered[node]
        and (answered[node]["stale"] or any(hostvars[node].get(task, {}).get("changed") for task in written))
    ]


class FilterModule:
    """Filters over the overview."""

    def filters(self) -> dict[str, Any]:
        return {
            "package_overview": read_overview,
            "package_changes": lambda site, overview: plan_packages(site, overview["packages"]),
            "refused_changes": find_refused,
            "package_table": package_overview.render_table,
            "package_speaker": package_overview.find_speaker,
            "idle_nodes_first": package_overview.order_idle_first,
            "outdated_nodes": find_outdated,
            "package_obstacles": package_overview.find_obstacles,
            "package_preview": package_overview.render_preview,
        }
