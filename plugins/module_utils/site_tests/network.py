# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Network: distinct subnets, no address twice, full-size packets end to end, more than one interface."""

from __future__ import annotations

import ipaddress

from .built import await_build
from .verdict import judge, warn

CATEGORY = "network"


def run_network_tests(site, seen):
    """All tests of the category. I(seen): node -> observation, None where a node could not be asked."""
    known = {node: observation for node, observation in seen.items() if observation}
    missing = [f"{node} could not be asked" for node, observation in seen.items() if not observation]
    return [
        judge(CATEGORY, "defined addresses are configured", list(_missing_addresses(site, known)), missing),
        judge(CATEGORY, "networks are distinct subnets", list(_shared_subnets(site, known)), missing),
        judge(CATEGORY, "no address is on two hosts", list(_duplicate_addresses(known)), missing),
        _judge_reachability(seen, list(_unreachable(known)), missing, list(_without_ping(known))),
        warn(CATEGORY, "heartbeats have more than one interface", list(_single_interfaces(site, known)), missing),
    ]


def _interface_of(observation, address):
    """Name and network of the interface that carries an address."""
    for name, interface in observation["interfaces"].items():
        for text in interface["addresses"]:
            if text.partition("/")[0] == address:
                return name, ipaddress.ip_interface(text).network
    return None


def _missing_addresses(site, seen):
    for node, observation in seen.items():
        for network, address in site["nodes"][node]["addresses"].items():
            if _interface_of(observation, address) is None:
                yield f"{node}: no interface carries {address} of network {network}"


def _shared_subnets(site, seen):
    for node, observation in seen.items():
        subnets = {}
        for network, address in site["nodes"][node]["addresses"].items():
            found = _interface_of(observation, address)
            if found is None:
                continue
            other = subnets.setdefault(found[1], network)
            if other != network:
                yield f"{node}: networks {other} and {network} share the subnet {found[1]}; they would fail together"


def _duplicate_addresses(seen):
    owners = {}
    for node, observation in seen.items():
        for interface in observation["interfaces"].values():
            for text in interface["addresses"]:
                address = text.partition("/")[0]
                other = owners.setdefault(address, node)
                if other != node:
                    yield f"{address} is on {other} and on {node}"


def _unreachable(seen):
    for node, observation in seen.items():
        for probe in observation["reachability"]:
            if probe["answers"] is False:
                yield f"{node}: {probe['address']} ({probe['network']}) does not answer to {probe['bytes']} bytes"


def _judge_reachability(seen, unreachable, missing, without_ping):
    result = judge(CATEGORY, "full-size packets pass end to end", unreachable, [*missing, *without_ping])
    return result if unreachable else await_build([result], seen)[0]


def _without_ping(seen):
    for node, observation in seen.items():
        if any(probe["answers"] is None for probe in observation["reachability"]):
            yield f"{node}: has no ping, so nobody asked"


def _single_interfaces(site, seen):
    for node, observation in seen.items():
        addresses = site["nodes"][node]["addresses"]
        carriers = {_interface_of(observation, addresses[name]) for name in site["cluster"]["heartbeat_networks"]}
        if len({carrier[0] for carrier in carriers if carrier}) < 2:
            yield f"{node}: one interface carries all heartbeats; its failure looks like the node's death"
