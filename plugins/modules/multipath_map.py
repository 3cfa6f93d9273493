#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes sure that every LUN has its multipath map, with all its paths and its full size."""

from __future__ import annotations

DOCUMENTATION = r"""
module: multipath_map
short_description: Make sure that LUNs have their multipath maps
description:
  - Scans the sessions for LUNs that are not seen, waits until each map exists under its name with all its paths, and
    passes on a new size of the LUN to paths and map without interruption.
  - All LUNs are handled in one call.
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
requirements: [multipath-tools]
extends_documentation_fragment: [holdfast.cluster.attributes, holdfast.cluster.multipath_maps]
options:
  maps:
    required: true
  timeout_seconds:
    description: How long to wait for a map.
    type: int
    default: 30
  state:
    description: V(absent) removes the maps and their paths, provided nothing uses them.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Wait for the maps of the package
  holdfast.cluster.multipath_map:
    maps:
      - {name: erp-lock, wwid: 36001405d7f8a5f7b9c15e4b9e2b1c0de}
      - {name: erp-data, wwid: 36001405a4f0f58a9cf25c0e8a5d3b1aa, paths: 2}
"""

RETURN = r"""
multipath:
  description: As returned by M(holdfast.cluster.multipath_map_info).
  returned: success
  type: dict
actions:
  description: What was done, or would be done in check mode, one line each.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.multipath_node import MAP_OPTIONS, MapResource
from ..module_utils.resource import run_module


def build_resource(params, check_mode):
    """The resource for the module's parameters."""
    return MapResource(params["maps"], params["state"] == "present", params["timeout_seconds"], check_mode)


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "maps": {"type": "list", "elements": "dict", "required": True, "options": MAP_OPTIONS},
            "timeout_seconds": {"type": "int", "default": 30},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    run_module(module, "multipath", build_resource)


if __name__ == "__main__":
    main()
