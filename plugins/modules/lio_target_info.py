#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads the iSCSI targets of an array."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lio_target_info
short_description: Read the iSCSI targets in the Linux kernel's target
description:
  - Returns the same shape as M(holdfast.cluster.lio_target), for everything the array serves, without secrets.
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
requirements: [python3-rtslib-fb]
extends_documentation_fragment: [holdfast.cluster.attributes.info]
"""

EXAMPLES = r"""
- name: Read what the array serves and who is logged in
  holdfast.cluster.lio_target_info:
  register: served
"""

RETURN = r"""
target:
  description: Backstores and targets as they are now, without secrets.
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.lio_plan import hide_secrets
from ..module_utils.lio_rtslib import open_root, read_target
from ..module_utils.resource import run_info_module


def main():
    """Entry point."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    run_info_module(module, "target", lambda params: hide_secrets(read_target(open_root())))


if __name__ == "__main__":
    main()
