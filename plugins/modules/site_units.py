#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Bring several systemd units to their wanted state with one call."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_units
short_description: Enable, disable, mask, start and stop systemd units in one go
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
description:
  - Reads all units with one command and issues one command for each verb that is needed.
  - In check mode a unit that is not installed yet counts as one that would be changed.
extends_documentation_fragment: [holdfast.cluster.attributes]
options:
  units:
    description: The units. A state that is not given is left as it is.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name with suffix, such as C(keepalived.service).
        type: str
        required: true
      enabled:
        description: Whether it starts at boot.
        type: bool
      masked:
        description: Whether it can be started at all.
        type: bool
      active:
        description: Whether it runs now.
        type: bool
      reloaded:
        description: Reload it once if it runs.
        type: bool
        default: false
      restarted:
        description: Restart it once if it runs.
        type: bool
        default: false
  daemon_reload:
    description: Let systemd read its unit files again before the first change; does not count as a change.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Keep the databases from starting at boot
  holdfast.cluster.site_units:
    units:
      - name: postgresql.service
        enabled: false
        active: false
"""

RETURN = r"""
actions:
  description: What was done or, in check mode, would be done.
  returned: success
  type: list
  elements: str
units:
  description: State of each unit.
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.resource import run_module
from ..module_utils.unit_set import UNIT_OPTIONS, UnitSet


def argument_spec():
    """The options as AnsibleModule takes them."""
    unit = {
        **UNIT_OPTIONS,
        "reloaded": {"type": "bool", "default": False},
        "restarted": {"type": "bool", "default": False},
    }
    return {
        "units": {"type": "list", "elements": "dict", "required": True, "options": unit},
        "daemon_reload": {"type": "bool", "default": False},
    }


def main():
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    wanted = {unit["name"]: unit for unit in module.params["units"]}
    daemon_reload = module.params["daemon_reload"] and not module.check_mode
    run_module(module, "units", lambda _params, check_mode: UnitSet(wanted, daemon_reload, check_mode))


if __name__ == "__main__":
    main()
