#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads a shared volume group as one node sees it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: shared_volume_group_info
short_description: Read a shared volume group
description:
  - Returns the same shape as M(holdfast.cluster.shared_volume_group). Reads metadata only, so it is safe on any node.
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
requirements: [lvm2]
extends_documentation_fragment: [holdfast.cluster.attributes.info]
options:
  name:
    description: Name of the volume group.
    type: str
    required: true
  devices:
    description: Its LUNs as multipath maps.
    type: list
    elements: path
    required: true
"""

EXAMPLES = r"""
- name: Read who owns the volume group
  holdfast.cluster.shared_volume_group_info:
    name: vg_erp
    devices: [/dev/mapper/erp-data]
  register: seen
"""

RETURN = r"""
shared_volume:
  description: The group as this node sees it.
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.resource import run_info_module
from ..module_utils.volume_node import GroupResource
from ..module_utils.volume_plan import WantedGroup


def read(params):
    """The group without a wish: nothing waits for anything."""
    resource = GroupResource(WantedGroup(params["name"], params["devices"], [], "", 0, False))
    return resource.public(resource.read())


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "devices": {"type": "list", "elements": "path", "required": True},
        },
        supports_check_mode=True,
    )
    run_info_module(module, "shared_volume", read)


if __name__ == "__main__":
    main()
