# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Resolve the definitions on the controller: no connection, no fork on a node."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils.definition.inventory import Host, Inventory, build_host
from ..module_utils.definition.problems import Problem
from ..module_utils.definition.resolve import resolve_site
from ..module_utils.errors import HoldfastError

_ARRAY_GROUP = "array"
_DEFINITIONS = ("cluster", "luns", "packages")


class ActionModule(ActionBase):
    """Read the inventory, resolve, and leave the site as the fact `holdfast_site`."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _, arguments = self.validate_argument_spec(
            argument_spec={
                "cluster": {"type": "raw"},
                "luns": {"type": "raw"},
                "packages": {"type": "raw"},
                "secrets": {"type": "dict", "default": {}, "no_log": True},
            }
        )
        inventory, problems = _read_inventory(task_vars or {}, arguments["secrets"])
        definitions = {f"holdfast_{name}": arguments[name] for name in _DEFINITIONS}
        try:
            site = resolve_site(definitions, inventory, problems)
        except HoldfastError as error:
            return {"failed": True, **error.as_result(), "problems": error.details.get("problems", [])}
        return {"changed": False, "ansible_facts": {"holdfast_site": site}}


def _read_inventory(variables: dict[str, Any], secrets: dict[str, Any]) -> tuple[Inventory, list[Problem]]:
    """The hosts with their addresses; a host without a `holdfast_addresses` simply has none."""
    hosts: dict[str, Host] = {}
    problems: list[Problem] = []
    hostvars = variables.get("hostvars", {})
    for name in hostvars:
        hosts[name], found = build_host(name, hostvars[name])
        problems += found
    arrays = tuple(variables.get("groups", {}).get(_ARRAY_GROUP, ()))
    return Inventory(hosts, arrays, {name: value and str(value) for name, value in secrets.items()}), problems
