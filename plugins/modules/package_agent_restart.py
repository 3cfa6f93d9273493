#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Restart the agent of a node while its packages keep serving."""

from __future__ import annotations

DOCUMENTATION = r"""
module: package_agent_restart
short_description: Restart the agent while its packages keep serving
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
description:
  - The agent detaches what it serves before it ends, and the next one attaches it again; clients notice nothing. Waits
    until everything that was served is owned and watched again.
  - Does nothing where no agent runs, and nothing where O(wanted) is false and the agent is younger than its code and its
    definitions.
extends_documentation_fragment: [holdfast.cluster.attributes]
options:
  wanted:
    description: Restart it in any case.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Let the agent read its new definitions
  holdfast.cluster.package_agent_restart:
    wanted: "{{ definitions is changed }}"
"""

RETURN = r"""
agent:
  description: The packages that this node serves.
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.agent_restart import AgentRestart
from ..module_utils.resource import run_module


def main():
    """Run the module."""
    module = AnsibleModule(argument_spec={"wanted": {"type": "bool", "default": False}}, supports_check_mode=True)
    run_module(module, "agent", lambda params, _check: AgentRestart(params["wanted"]))


if __name__ == "__main__":
    main()
