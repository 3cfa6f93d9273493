#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Prepares a blank disk of an array for LUNs that are files."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lio_disk
short_description: Put a file system for LUN files on a blank disk
description:
  - Makes an ext4 file system over the whole disk if the disk is blank. A disk that carries anything else is refused.
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
requirements: [util-linux, e2fsprogs]
extends_documentation_fragment: [holdfast.cluster.attributes]
options:
  device:
    description: The disk.
    type: path
    required: true
  label:
    description: Label of the file system.
    type: str
    default: holdfast-luns
"""

EXAMPLES = r"""
- name: Prepare the array's second disk
  holdfast.cluster.lio_disk:
    device: /dev/sdb
"""

RETURN = r"""
disk:
  description: Device and the signatures on it.
  returned: success
  type: dict
actions:
  description: What was done, or would be done in check mode, one line each.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.disk_filesystem import DiskFilesystem
from ..module_utils.resource import run_module


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={"device": {"type": "path", "required": True}, "label": {"type": "str", "default": "holdfast-luns"}},
        supports_check_mode=True,
    )
    run_module(module, "disk", lambda params, _check_mode: DiskFilesystem(params["device"], params["label"]))


if __name__ == "__main__":
    main()
