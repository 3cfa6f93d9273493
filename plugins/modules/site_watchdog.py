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
  - Loads the driver where its device is missing, now and at every boot, and refuses a device that another driver stands
    behind.
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
  options:
    description: Parameters of the driver, as modprobe.d(5) takes them.
    type: str
    default: ""
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
    options: soft_margin=5 nowayout=0
    identity: Software Watchdog
"""

RETURN = r"""
watchdog:
  description: The driver and its device as they are now.
  returned: success
  type: dict
  contains:
    files:
      description: The driver's files by path.
      type: dict
    device:
      description: The device, whether its driver is loaded, and what sysfs tells about it.
      type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.file_set import FileSet
from ..module_utils.resource import run_module
from ..module_utils.watchdog_device import Watchdog

_ROOT = {"kind": "file", "mode": "0644", "owner": "root", "group": "root"}


def build_files(driver, options):
    """What loads the driver at boot, with its parameters (modules-load.d(5), modprobe.d(5))."""
    return {
        "/etc/modules-load.d/holdfast-watchdog.conf": {**_ROOT, "content": f"{driver}\n"},
        "/etc/modprobe.d/holdfast-watchdog.conf": {**_ROOT, "content": f"options {driver} {options}".rstrip() + "\n"},
    }


def build_parts(params, _check_mode):
    """The files first: the driver takes its parameters when it is loaded."""
    return {
        "files": FileSet(build_files(params["driver"], params["options"])),
        "device": Watchdog(params["device"], params["driver"], params["identity"]),
    }


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "device": {"type": "path", "required": True},
            "driver": {"type": "str", "required": True},
            "options": {"type": "str", "default": ""},
            "identity": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    run_module(module, "watchdog", build_parts)


if __name__ == "__main__":
    main()
