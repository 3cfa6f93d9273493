# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Resolve the definitions on the controller: no connection, no fork on a node."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils import storage_views
from ..module_utils.definition.cluster_rules import member_names
from ..module_utils.definition.inventory import Host, Inventory, build_host
from ..module_utils.definition.problems import Problem
from ..module_utils.definition.resolve import resolve_site
from ..module_utils.definition.schema import DEFINITIONS
from ..module_utils.definition.shape import check_shape
from ..module_utils.errors import DefinitionError, HoldfastError

_ARRAY_GROUP = "array"
_DEFINITIONS = ("cluster", "luns", "packages")


class ActionModule(ActionBase):
    """Read the inventory, resolve, and leave the site as the fact `holdfast_site`."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(
            argument_spec={
                "cluster": {"type": "raw"},
                "luns": {"type": "raw"},
                "packages": {"type": "raw"},
                "iqn_prefix": {"type": "str", "default": ""},
                "initiator_names": {"type": "dict", "default": {}},
                "chap_secrets": {"type": "dict", "default": {}, "no_log": True},
                "chap_mutual_secrets": {"type": "dict", "default": {}, "no_log": True},
                "secrets": {"type": "dict", "default": {}, "no_log": True},
            }
        )
        inventory, problems = _read_inventory(task_vars or {}, arguments["secrets"])
        if arguments["iqn_prefix"]:
            problems += _check_initiators(arguments)
        definitions = {f"holdfast_{name}": arguments[name] for name in _DEFINITIONS}
        try:
            site = resolve_site(definitions, inventory, problems)
        except HoldfastError as error:
            found = error.details.get("problems", [error.message])
            return {"failed": True, "msg": "\n- ".join(["The definitions cannot be used:", *found]), "problems": found}
        return {"changed": False, "ansible_facts": {"holdfast_site": site}}


def _check_initiators(arguments: dict[str, Any]) -> list[Problem]:
    """Initiator names and CHAP secrets by the storage roles' own rules, as far as the members can be told."""
    cluster = check_shape(arguments["cluster"], DEFINITIONS["holdfast_cluster"], "holdfast_cluster")[0]
    members = {"cluster": {"name": (cluster or {}).get("name")}, "nodes": member_names(cluster or {})}
    secrets = (arguments["chap_secrets"], arguments["chap_mutual_secrets"])
    problems: list[Problem] = []
    for check in (
        lambda: storage_views.initiator_names(members, arguments["iqn_prefix"], arguments["initiator_names"]),
        lambda: [storage_views.node_chap(members, node, *secrets) for node in members["nodes"][:1]],
    ):
        try:
            check()
        except DefinitionError as error:
            problems += [Problem(*text.split(": ", 1)) for text in error.details["problems"]]
    return problems


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
