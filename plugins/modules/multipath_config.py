#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes multipath.conf, lets multipath check it, and loads it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: multipath_config
short_description: Write and load the configuration of multipathd
description:
  - Writes the file, asks C(multipath -t) for complaints, puts the old file back if there are any, and lets a running
    daemon load the new one. The daemon is never restarted, so no map is ever torn down.
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
requirements: [multipath-tools]
extends_documentation_fragment: [holdfast.cluster.attributes]
options:
  path:
    description: The file.
    type: path
    default: /etc/multipath.conf
  content:
    description: The whole text.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Write multipath.conf from a template
  holdfast.cluster.multipath_config:
    content: "{{ lookup('ansible.builtin.template', 'multipath.conf.j2') }}"
"""

RETURN = r"""
config:
  description: The file as it is now.
  returned: success
  type: dict
  contains:
    content:
      description: Its text.
      type: str
actions:
  description: What was done, or would be done in check mode, one line each.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.multipath_node import ConfigResource
from ..module_utils.resource import run_module


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "default": "/etc/multipath.conf"},
            "content": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    run_module(module, "config", lambda params, _check_mode: ConfigResource(params["path"], params["content"]))


if __name__ == "__main__":
    main()
