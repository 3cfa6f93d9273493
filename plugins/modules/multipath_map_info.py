#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads the multipath maps of a node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: multipath_map_info
short_description: Read the multipath maps of a node
description:
  - Reads the JSON answer of multipathd, sizes from sysfs, and the capacity that each LUN tells by itself.
  - A daemon that does not answer, or answers something else, is an error and never an empty list.
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
requirements: [multipath-tools]
extends_documentation_fragment: [holdfast.cluster.attributes.info]
"""

EXAMPLES = r"""
- name: Read maps and paths
  holdfast.cluster.multipath_map_info:
  register: seen
"""

RETURN = r"""
multipath:
  description: Maps and LUNs of the node.
  returned: success
  type: dict
  contains:
    maps:
      description: WWID, device-mapper device, number of usable paths, size in bytes, users and paths by alias.
      type: dict
    luns:
      description: Paths with size and capacity in bytes by WWID.
      type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.multipath_node import read_maps
from ..module_utils.resource import run_info_module


def main():
    """Entry point."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    run_info_module(module, "multipath", lambda params: read_maps())


if __name__ == "__main__":
    main()
