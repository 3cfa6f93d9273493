# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""What the storage roles need of a resolved site, in the shape of their modules' options. Pure."""

from __future__ import annotations

from .chap import CHAP_KEYS, MIN_CHAP_SECRET_BYTES
from .definition.views import array_luns, lun_nodes
from .errors import DefinitionError
from .lio_plan import target_name

ISCSI_PORT = 3260


def target_prefix(iqn_prefix, cluster, array):
    """IQN with which all targets of one array for one cluster start."""
    return f"{iqn_prefix}:{cluster}:{_iqn_part(array)}"


def _iqn_part(name):
    """A host or network name inside an IQN (RFC 3722 leaves letters, digits, hyphen, dot and colon)."""
    return name.lower().replace("_", "-")


def initiator_names(site, iqn_prefix, given):
    """InitiatorName of every node: the one given, or one made from cluster and node.

    Raises L(DefinitionError) where two nodes would share a name: they would share their reservations.
    """
    names = {node: given.get(node) or f"{iqn_prefix}:{site['cluster']['name']}:{_iqn_part(node)}" for node in site["nodes"]}
    owners = {}
    problems = []
    for node, name in names.items():
        if name in owners:
            problems.append(f"holdfast_initiator_names.{node}: {name} is already used by {owners[name]}")
        owners.setdefault(name, node)
    problems += [f"holdfast_initiator_names.{node}: no node is called that" for node in given if node not in site["nodes"]]
    if problems:
        raise DefinitionError(problems)
    return names


def target_portals(site, addresses):
    """One portal per storage network; I(addresses) of the array by network."""
    networks = site["cluster"]["storage_networks"]
    missing = [f"holdfast_addresses.{network}: is missing on the array" for network in networks if network not in addresses]
    if missing:
        raise DefinitionError(missing)
    return [{"network": network, "address": addresses[network], "port": ISCSI_PORT} for network in networks]


def target_luns(site, array, directory, devices):
    """The array's LUNs: a file below I(directory), or the block device that I(devices) names for it."""
    return [
        {
            "name": lun["name"],
            "size": str(lun["size_bytes"]),
            "plugin": "block" if lun["name"] in devices else "fileio",
            "path": devices.get(lun["name"]) or f"{directory}/{lun['name']}",
        }
        for lun in array_luns(site, array)
    ]


def target_initiators(site, array, names, secrets, mutual_secrets):
    """Who may log in to I(array), with which LUNs and secrets."""
    luns = array_luns(site, array)
    return [
        {
            "name": names[node],
            "luns": [lun["name"] for lun in luns if node in lun["nodes"]],
            "chap": node_chap(site, node, secrets, mutual_secrets),
        }
        for node in site["nodes"]
    ]


def node_chap(site, node, secrets, mutual_secrets):
    """Names and secrets of both directions for one node; all nodes' secrets are checked, so all problems come at once."""
    problems = []
    for name in site["nodes"]:
        both = {"holdfast_chap_secrets": secrets.get(name), "holdfast_chap_mutual_secrets": mutual_secrets.get(name)}
        problems += [
            f"{variable}.{name}: needs {MIN_CHAP_SECRET_BYTES} characters or more"
            for variable, value in both.items()
            if len(str(value or "")) < MIN_CHAP_SECRET_BYTES
        ]
        if secrets.get(name) and secrets.get(name) == mutual_secrets.get(name):
            problems.append(f"holdfast_chap_mutual_secrets.{name}: must differ from the other direction")
    if problems:
        raise DefinitionError(problems)
    values = (node, str(secrets[node]), site["cluster"]["name"], str(mutual_secrets[node]))
    return dict(zip(CHAP_KEYS, values, strict=True))


def target_sources(site, addresses):
    """Who may reach which portal: pairs of the array's address and the nodes' addresses on the same network."""
    return [
        {
            "address": portal["address"],
            "sources": [node["addresses"][portal["network"]] for node in site["nodes"].values()],
        }
        for portal in target_portals(site, addresses)
    ]


def node_portals(site, node, iqn_prefix, arrays):
    """Portals of one node in the order of login; I(arrays): name of each Linux array -> its addresses.

    Those of the arrays with a LUN for it. A node without any logs in to all of them and sees nothing: its services run as
    everywhere, and a LUN that a package gives it later appears without a login.
    """
    luns = [lun for lun in site["luns"].values() if lun["array"]]
    own = {lun["array"] for lun in luns if node in lun_nodes(site, lun["name"])}
    used = own or {lun["array"] for lun in luns}
    return [
        {
            "target": target_name(target_prefix(iqn_prefix, site["cluster"]["name"], array), portal["network"]),
            "portal": f"{portal['address']}:{portal['port']}",
        }
        for array in sorted(used)
        for portal in target_portals(site, arrays[array])
    ]


def node_maps(site, node):
    """Multipath maps of one node, one path per storage network."""
    paths = len(site["cluster"]["storage_networks"])
    return [
        {"name": lun["name"], "wwid": lun["wwid"], "paths": paths}
        for lun in site["luns"].values()
        if node in lun_nodes(site, lun["name"])
    ]


def node_volume_groups(site, node):
    """Shared volume groups of the packages that a node may own; the first node of a package creates its group."""
    return [
        {
            "name": package["storage"]["volume_group"],
            "devices": [f"/dev/mapper/{lun['name']}" for lun in package["storage"]["luns"]],
            "volumes": [
                {"name": item["volume"], "size": item["size"], "fstype": item["fstype"]}
                for item in package["storage"]["filesystems"]
            ],
            "create": package["nodes"][0] == node,
        }
        for package in site["packages"]
        if node in package["nodes"]
    ]
