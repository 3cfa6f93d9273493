"""What single roles need of a site, in the shape of their inputs."""

from __future__ import annotations

from ipaddress import ip_interface
from pathlib import PurePosixPath
from typing import Any

from .resolve import Site


def array_luns(site: Site, array: str) -> list[dict[str, Any]]:
    """The LUNs that an array of this inventory makes, with the names of the nodes that use each."""
    return [{**lun, "nodes": lun_nodes(site, lun["name"])} for lun in site["luns"].values() if lun["array"] == array]


def lun_nodes(site: Site, lun: str) -> list[str]:
    """Nodes that see a LUN: those of its package, or all of them where no package uses it (a spare)."""
    for package in site["packages"]:
        storage = package["storage"]
        if lun in [item["name"] for item in (storage["lock_lun"], *storage["luns"])]:
            return list(package["nodes"])
    return list(site["nodes"])


def databases(site: Site, node: str, kind: str) -> list[dict[str, Any]]:
    """The databases of one kind in the packages that a node may own."""
    return [
        {
            "package": package["name"],
            "mount_point": _mount_point(package, resource["data_directory"]),
            "addresses": [item["address"].partition("/")[0] for item in package["virtual_addresses"]],
            "client_networks": [str(ip_interface(item["address"]).network) for item in package["virtual_addresses"]],
            **{key: resource[key] for key in ("version", "port", "data_directory")},
        }
        for package in site["packages"]
        if node in package["nodes"]
        for resource in package["resources"]
        if resource["type"] == kind
    ]


def borrowed_volumes(site: Site, node: str) -> list[dict[str, Any]]:
    """The packages whose database is made on this node: those that prefer it."""
    return [
        {
            "package": package["name"],
            "cluster": site["cluster"]["name"],
            "node_id": site["nodes"][node]["id"],
            "luns": [lun["name"] for lun in package["storage"]["luns"]],
            "volume_group": package["storage"]["volume_group"],
            "filesystems": [
                {key: item[key] for key in ("volume", "fstype", "path", "options")} for item in package["storage"]["filesystems"]
            ],
        }
        for package in site["packages"]
        if package["nodes"][0] == node
    ]


def database_versions(site: Site, node: str, kind: str) -> list[str]:
    """Versions of one kind of database that a node must be able to run."""
    return sorted({database["version"] for database in databases(site, node, kind)})


def _mount_point(package: dict[str, Any], data_directory: str) -> str:
    parents = PurePosixPath(data_directory).parents
    points = [item["path"] for item in package["storage"]["filesystems"]]
    return next(point for point in points if PurePosixPath(point) in parents)


def host_entries(site: Site) -> list[str]:
    """Lines for /etc/hosts: every node on every network, and every package at its first address.

    The bare node name is the address on the first heartbeat network, which outlives the client network.
    """
    lines = []
    main_network = site["cluster"]["heartbeat_networks"][0]
    for name, node in site["nodes"].items():
        for network, address in node["addresses"].items():
            names = f"{name} {name}-{network}" if network == main_network else f"{name}-{network}"
            lines.append(f"{address} {names}")
    for package in site["packages"]:
        address = package["virtual_addresses"][0]["address"].partition("/")[0]
        lines.append(f"{address} {package['name']}")
    return lines


def spare_luns(site: Site) -> list[str]:
    """LUNs that no package uses."""
    used = {
        item["name"] for package in site["packages"] for item in (package["storage"]["lock_lun"], *package["storage"]["luns"])
    }
    return [name for name in site["luns"] if name not in used]
