#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Load a watchdog driver and check that the device is really its."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_watchdog
short_description: Load a watchdog driver and check its device
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
description:
  - Loads the driver where its device is missing and refuses a device that another driver stands behind.
  - Never opens the device, because opening it would start it.
extends_documentation_fragment: [holdfast.cluster.attributes]
options:
  device:
    description: Device that the agent will feed.
    type: path
    required: true
  driver:
    description: Kernel module of the watchdog.
    type: str
    required: true
  identity:
    description: Text that the device's identity must contain, without regard to case.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Ensure the software watchdog
  holdfast.cluster.site_watchdog:
    device: /dev/watchdog
    driver: softdog
    identity: Software Watchdog
"""

RETURN = r"""
watchdog:
  description: Device, whether its driver is loaded, and what sysfs tells about it.
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.resource import run_module
from ..module_utils.watchdog_device import Watchdog


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "device": {"type": "path", "required": True},
            "driver": {"type": "str", "required": True},
            "identity": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    run_module(module, "watchdog", lambda params, _check: Watchdog(params["device"], params["driver"], params["identity"]))


if __name__ == "__main__":
    main()
