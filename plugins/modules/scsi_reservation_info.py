#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads the persistent reservations of LUNs and what their array can do."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scsi_reservation_info
short_description: Read the persistent reservations of LUNs
description:
  - All keys, the key of each path's own nexus, holder, type, generation and whether registrations survive a restart.
  - Asks by PERSISTENT RESERVE IN only, so it can be used on a LUN in service at any time.
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
extends_documentation_fragment: [holdfast.cluster.attributes.info]
options:
  luns:
    description: Multipath maps, WWIDs or paths. A LUN that cannot be read gets an entry with RV(reservations[].error).
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Read who may write to the LUNs
  holdfast.cluster.scsi_reservation_info:
    luns: [/dev/mapper/erp-lock, /dev/mapper/erp-data]
  register: seen
"""

RETURN = r"""
reservations:
  description: One entry per LUN, in the order asked for.
  returned: success
  type: list
  elements: dict
  contains:
    lun:
      description: The LUN as it was asked for.
      type: str
    error:
      description: Why it could not be read; empty where it could. The other values are there only then.
      type: str
    keys:
      description: All registered keys, one per nexus.
      type: list
      elements: str
    holder:
      description: Key of the holder, or null where the LUN is not reserved.
      type: str
    type:
      description: Type of the reservation; 5 is write exclusive, registrants only.
      type: int
    generation:
      description: Counter that grows with every change of registrations.
      type: int
    paths:
      description: Device, state, nexus and the key registered for it, per path.
      type: list
      elements: dict
    registrations:
      description: Key, initiator port, target port and holder of every registered nexus.
      type: list
      elements: dict
    capabilities:
      description: Supported types, APTPL capable and active, PREEMPT AND ABORT (null where the array does not tell).
      type: dict
    missing_capabilities:
      description: What the LUN lacks for use in a cluster; empty when it is fit.
      type: list
      elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.errors import HoldfastError
from ..module_utils.resource import run_info_module
from ..module_utils.scsi_reservation_device import read_reservation, show_reservation


def read_one(lun):
    """One LUN's entry; an error becomes a value, so that one bad LUN does not hide the others."""
    try:
        return {"error": "", **show_reservation(read_reservation(lun))}
    except HoldfastError as error:
        return {"lun": lun, "error": error.message}


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={"luns": {"type": "list", "elements": "str", "required": True}},
        supports_check_mode=True,
    )
    run_info_module(module, "reservations", lambda params: [read_one(lun) for lun in params["luns"]])


if __name__ == "__main__":
    main()
