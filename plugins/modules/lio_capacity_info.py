#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads how much an array can hold."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lio_capacity_info
short_description: Read how much an array can hold
description:
  - Measures what is behind the LUNs before they are made, so that definitions that do not fit can be refused.
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
extends_documentation_fragment: [holdfast.cluster.attributes.info]
options:
  disk:
    description: Disk of the LUN files; empty where O(directory) lies on the system's own.
    type: str
    default: ""
  directory:
    description: Directory of the LUN files.
    type: path
    required: true
  devices:
    description: Block device by name of LUN, for LUNs that are no files.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Measure the array's second disk
  holdfast.cluster.lio_capacity_info:
    disk: /dev/sdb
    directory: /var/lib/holdfast/luns
  register: measured
"""

RETURN = r"""
capacity:
  description: What the array can hold.
  returned: success
  type: dict
  contains:
    files:
      description: Disk or directory of the LUN files, and the bytes that fit there; null where the disk does not exist.
      type: dict
    devices:
      description: Path and bytes of every device, by name of LUN.
      type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.array_capacity import read_capacity
from ..module_utils.resource import run_info_module


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "disk": {"type": "str", "default": ""},
            "directory": {"type": "path", "required": True},
            "devices": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    run_info_module(module, "capacity", lambda params: read_capacity(params["disk"], params["directory"], params["devices"]))


if __name__ == "__main__":
    main()
