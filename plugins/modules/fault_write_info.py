#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Ask the array whether this node may write to a package's LUNs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fault_write_info
short_description: Find out through which paths the array lets this node write
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
description:
  - Reads the first block of every LUN of the package and writes the same bytes back, through every path by itself.
  - Nothing uses that block (LVM's label begins in the second sector, the agent's notes at 1 MiB), so that the data is the
    same afterwards whether the write is refused or not.
  - On a node that does not own the package every write has to be refused; on the owner every one has to succeed.
extends_documentation_fragment: [holdfast.cluster.attributes.info]
options:
  package:
    description: The package.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Try to write where this node must not
  holdfast.cluster.fault_write_info:
    package: erp
  register: tried
"""

RETURN = r"""
tries:
  description: One entry per path.
  returned: success
  type: list
  elements: dict
  contains:
    lun:
      description: Name of the LUN.
      type: str
    path:
      description: Device node of the path.
      type: str
    refused:
      description: True for a reservation conflict, false where the write succeeded, null where neither is known.
      type: bool
    error:
      description: What was said.
      type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.errors import HoldfastError
from ..module_utils.faults.base import Context, read_package
from ..module_utils.faults.reservation import try_writes


def main():
    """Run the module."""
    module = AnsibleModule(argument_spec={"package": {"type": "str", "required": True}}, supports_check_mode=True)
    try:
        package = read_package(module.params["package"])
        if not package:
            raise HoldfastError(f"this node has no package {module.params['package']}")
        tries = try_writes(Context("write", {}, package))
    except HoldfastError as error:
        module.fail_json(**error.as_result())
    module.exit_json(changed=False, tries=tries)


if __name__ == "__main__":
    main()
