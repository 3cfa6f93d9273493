#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Read the packages of a node: definition, digest and observed state."""

from __future__ import annotations

DOCUMENTATION = r"""
module: package_info
short_description: Read the packages of a node
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
description:
  - Returns the documents that the agent reads, in the shape in which they were resolved from the inventory, with a digest
    of each and what the agent observes.
extends_documentation_fragment: [holdfast.cluster.attributes.info]
options: {}
"""

EXAMPLES = r"""
- name: Read the packages
  holdfast.cluster.package_info:
  register: here
"""

RETURN = r"""
packages:
  description: Packages of this node by name.
  returned: success
  type: dict
  contains:
    digest:
      description: SHA-256 of the document.
      type: str
    observed:
      description: The agent's own status of the package; null where no agent answers.
      type: dict
node:
  description: The agent's name for this node, its peers and its version; null where no agent answers.
  returned: success
  type: dict
  contains:
    stale:
      description: Whether the agent is older than its code or its definitions on this node, and should be restarted.
      type: bool
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.agent_restart import is_stale
from ..module_utils.errors import HoldfastError
from ..module_utils.package_control import read_packages, read_status


def main():
    """Run the module."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    try:
        status = read_status()
        packages = read_packages(status)
    except HoldfastError as error:
        module.fail_json(**error.as_result())
    node = {key: status[key] for key in ("node", "boot_id", "agent", "peers") if key in status} if status else None
    if node is not None:
        node["stale"] = is_stale(status)
    module.exit_json(changed=False, packages=packages, node=node)


if __name__ == "__main__":
    main()
