"""From intent to a site: every derived value is computed here, once, and nowhere else.

Pure: the inventory's values in, one site out, or every problem at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import DefinitionError
from .address_rules import check_addresses
from .capacity_rules import check_capacity
from .cluster_rules import check_cluster
from .identity import lio_serial, lio_wwid
from .inventory import Inventory, check_inventory
from .lun_rules import check_luns, check_usage
from .package_rules import check_packages
from .pooler_rules import check_poolers, resolve_poolers
from .problems import Problem
from .schema import DEFINITIONS
from .shape import check_shape
from .sizes import parse_size
from .virtual_router import build_virtual_routers, check_virtual_routers

#: Version of the documents on the nodes; the agent refuses any other.
SCHEMA = 1

Site = dict[str, Any]


def resolve_site(definitions: Mapping[str, Any], inventory: Inventory, found: list[Problem] | None = None) -> Site:
    """The site that the definitions describe.

    *definitions* holds the inventory's `holdfast_cluster`, `holdfast_luns` and `holdfast_packages`;
    *found* are problems seen while the inventory was read. Raises DefinitionError with all problems.
    """
    problems = list(found or [])
    checked = {}
    for name, spec in DEFINITIONS.items():
        value = definitions.get(name)
        if value is None and spec.get("required"):
            problems.append(Problem(name, "is missing"))
        checked[name], shape_problems = check_shape(value, spec, name) if value is not None else (_empty(spec), [])
        problems += shape_problems
    cluster, luns, packages = (checked[name] or _empty(DEFINITIONS[name]) for name in DEFINITIONS)
    problems += check_inventory(inventory) + check_cluster(cluster, inventory) + check_luns(luns, inventory)
    problems += check_usage(packages, luns) + check_packages(packages, cluster) + check_addresses(packages, cluster, inventory)
    problems += check_poolers(packages, cluster, inventory) + check_capacity(luns, inventory) + check_virtual_routers(packages)
    if problems:
        raise DefinitionError([str(problem) for problem in problems])
    return _build_site(cluster, luns, packages, inventory)


def _empty(spec: dict[str, Any]) -> Any:
    return {} if spec["type"] == "dict" else []


def _build_site(
    cluster: dict[str, Any], luns: list[dict[str, Any]], packages: list[dict[str, Any]], inventory: Inventory
) -> Site:
    resolved = {lun["name"]: _resolve_lun(lun, cluster["name"], inventory.arrays) for lun in luns}
    return {
        "schema": SCHEMA,
        "cluster": {key: value for key, value in cluster.items() if key != "nodes"},
        "nodes": {
            node["name"]: {"id": node["id"], "addresses": dict(inventory.hosts[node["name"]].addresses)}
            for node in cluster["nodes"]
        },
        "luns": resolved,
        "packages": [_resolve_package(package, resolved, inventory) for package in packages],
        "virtual_routers": build_virtual_routers(packages, cluster, inventory),
    }


def _resolve_lun(lun: dict[str, Any], cluster: str, arrays: tuple[str, ...]) -> dict[str, Any]:
    size = {"name": lun["name"], "size": lun["size"], "size_bytes": parse_size(lun["size"])}
    if lun.get("wwid"):
        return {**size, "wwid": lun["wwid"], "array": None, "serial": None}
    serial = lio_serial(cluster, lun["name"])
    return {**size, "wwid": lio_wwid(serial), "array": lun.get("array") or arrays[0], "serial": serial}


def _resolve_package(package: dict[str, Any], luns: dict[str, dict[str, Any]], inventory: Inventory) -> dict[str, Any]:
    storage = package["storage"]

    def reference(name: str) -> dict[str, str]:
        return {"name": name, "wwid": luns[name]["wwid"]}

    return {
        "schema": SCHEMA,
        **{key: package[key] for key in ("name", "nodes", "failback", "auto_start", "virtual_addresses", "objectives")},
        "storage": {
            "lock_lun": reference(storage["lock_lun"]),
            "luns": [reference(name) for name in storage["luns"]],
            "volume_group": storage["volume_group"],
            "filesystems": storage["filesystems"],
        },
        "resources": _resolve_resources(package["resources"]),
        "poolers": resolve_poolers(package, inventory),
    }


def _resolve_resources(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = []
    names: set[str] = set()
    for resource in resources:
        kind, value = next((kind, value) for kind, value in resource.items() if value is not None)
        values = {"unit": value} if kind == "systemd" else dict(value)
        name = values.get("unit") or str(values.get("agent", kind)).rpartition(":")[2]
        unique = _unique_name(name, names)
        names.add(unique)
        result.append({"name": unique, "type": kind, **values})
    return result


def _unique_name(name: str, taken: set[str]) -> str:
    """The name, or with the first free number behind it where a package has two of a kind."""
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}-{number}", number + 1
    return candidate
