#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Ensure that distribution packages are installed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_packages
short_description: Ensure that packages of Debian are installed
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
description:
  - Reads dpkg's own file and calls apt only where something is missing, so that a second run costs next to nothing.
  - Never upgrades. Package lists are fetched where they do not know a package.
extends_documentation_fragment: [holdfast.cluster.attributes]
options:
  names:
    description: The packages.
    type: list
    elements: str
    required: true
  services_stay_down:
    description: Do not let the installation start services.
    type: bool
    default: false
  answers:
    description:
      - Files that the installation reads, with their content by path. Written before something is installed, and not looked
        at where nothing is missing.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Install keepalived
  holdfast.cluster.site_packages:
    names: [keepalived]
    services_stay_down: true
"""

RETURN = r"""
packages:
  description: Version by name.
  returned: success
  type: dict
actions:
  description: What was installed or, in check mode, would be.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.package_set import PackageSet
from ..module_utils.resource import run_module


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "names": {"type": "list", "elements": "str", "required": True},
            "services_stay_down": {"type": "bool", "default": False},
            "answers": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    run_module(module, "packages", lambda params, _check: PackageSet(**params))


if __name__ == "__main__":
    main()
