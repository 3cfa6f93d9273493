#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Install the agent's code on a node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: package_agent
short_description: Install the agent's code on a node
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
description:
  - Puts the agent of this collection into a directory named after its content and switches a link to it, so that a node
    never sees half of a version. Does not restart a running agent.
  - The archive is packed on the controller by the action plugin of the same name.
extends_documentation_fragment: [holdfast.cluster.attributes]
options:
  path:
    description: The link.
    type: path
    default: /usr/lib/holdfast/agent
  archive:
    description: Set by the action plugin.
    type: str
  digest:
    description: Set by the action plugin.
    type: str
"""

EXAMPLES = r"""
- name: Install the agent
  holdfast.cluster.package_agent:
  register: agent
"""

RETURN = r"""
agent:
  description: Where the link leads, and the versions that lie on the node.
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.agent_installation import AgentInstallation
from ..module_utils.resource import run_module


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "default": "/usr/lib/holdfast/agent"},
            # Not secret: the archive would fill the node's log and every verbose output.
            "archive": {"type": "str", "no_log": True},
            "digest": {"type": "str"},
        },
        supports_check_mode=True,
    )
    archive = module.params.pop("archive")
    run_module(module, "agent", lambda params, _check: AgentInstallation(params["path"], archive, params["digest"]))


if __name__ == "__main__":
    main()
