#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads a node's iSCSI initiator."""

from __future__ import annotations

DOCUMENTATION = r"""
module: iscsi_initiator_info
short_description: Read the iSCSI initiator of a node
description:
  - Returns the same shape as M(holdfast.cluster.iscsi_initiator). Reads files and sysfs, starts no tool.
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
extends_documentation_fragment: [holdfast.cluster.attributes.info]
"""

EXAMPLES = r"""
- name: Read name, records and sessions
  holdfast.cluster.iscsi_initiator_info:
  register: seen
"""

RETURN = r"""
initiator:
  description: Name, records, order of login and sessions as they are now. Settings of records are not compared.
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.iscsi_node import read_initiator
from ..module_utils.resource import run_info_module


def main():
    """Entry point."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    run_info_module(module, "initiator", lambda params: read_initiator({}))


if __name__ == "__main__":
    main()
