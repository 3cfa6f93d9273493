#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Observe a host for the validation of its site."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_observation_info
short_description: Observe a host for the validation of its site
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
description:
  - Interfaces, reachability with packets of full size, LUNs with their paths, sizes and reservations, versions, clock,
    watchdogs, and what the system would mount or start by itself.
  - Reads only. LUNs are read past the page cache and never written to.
extends_documentation_fragment: [holdfast.cluster.attributes.info]
options:
  peers:
    description: Addresses that must be reachable, by network.
    type: dict
    default: {}
  luns:
    description: WWID by name of the LUNs that the host must see.
    type: dict
    default: {}
  packages:
    description: Distribution packages whose versions are compared.
    type: list
    elements: str
    default: []
  units:
    description: Units that must not start at boot.
    type: list
    elements: str
    default: []
  names:
    description: Host names that must resolve.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Observe the nodes
  holdfast.cluster.site_observation_info:
    peers:
      heartbeat: [10.20.3.12]
    luns:
      erp-data: 360014058be82cb0d9755838a9c04aacc
    packages: [multipath-tools]
    units: [postgresql.service]
    names: [node2]
  register: seen
"""

RETURN = r"""
observation:
  description: What was seen.
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.resource import run_info_module
from ..module_utils.site_observation import observe_host

_OPTIONS = ("peers", "luns", "packages", "units", "names")


def main():
    """Run the module."""
    lists = {name: {"type": "list", "elements": "str", "default": []} for name in ("packages", "units", "names")}
    mappings = {name: {"type": "dict", "default": {}} for name in ("peers", "luns")}
    module = AnsibleModule(argument_spec={**mappings, **lists}, supports_check_mode=True)
    run_info_module(module, "observation", lambda params: observe_host(*(params[name] for name in _OPTIONS)))


if __name__ == "__main__":
    main()
