#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Registers, reserves, releases and preempts the cluster's own keys on one LUN."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scsi_reservation
short_description: Manage this node's persistent reservation of a LUN
description:
  - Works on every path of the LUN and reads back what the array then says.
  - Uses type 5 (write exclusive, registrants only) and registrations that survive a restart of the array.
  - Keys that are not of the cluster are refused and never cleared. A key of another node is ejected only where it is named.
  - On a cluster in service the agent owns the reservations; this module is for building, tests and repair by hand.
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
extends_documentation_fragment: [holdfast.cluster.attributes]
options:
  lun:
    description: Multipath map (C(/dev/mapper/erp-data)), WWID, or one path (C(/dev/sdb)).
    type: str
    required: true
  cluster:
    description: Name of the cluster; tells its keys from other people's.
    type: str
    required: true
  key:
    description: Own key, as hexadecimal or decimal number. Unique per cluster, node and start.
    type: str
    required: true
  state:
    description:
      - V(reserved) registers every path and takes the reservation.
      - V(registered) registers every path only. Under a type 5 reservation that is permission to write.
      - V(absent) releases and unregisters the own key.
    type: str
    choices: [reserved, registered, absent]
    default: reserved
  preempt:
    description: Keys of the same cluster to eject with PREEMPT AND ABORT. Their nodes lose write access at once.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Take the spare LUN for a test
  holdfast.cluster.scsi_reservation:
    lun: /dev/mapper/spare
    cluster: lab
    key: "0xc0ffee0001000001"

- name: Give it back
  holdfast.cluster.scsi_reservation:
    lun: /dev/mapper/spare
    cluster: lab
    key: "0xc0ffee0001000001"
    state: absent
"""

RETURN = r"""
reservation:
  description: As returned by M(holdfast.cluster.scsi_reservation_info) for one LUN.
  returned: success
  type: dict
actions:
  description: What was done, or would be done in check mode, one line each.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.errors import DefinitionError
from ..module_utils.resource import run_module
from ..module_utils.scsi_persistent import parse_key
from ..module_utils.scsi_reservation_device import ReservationResource
from ..module_utils.scsi_reservation_plan import WantedReservation


def build_resource(params, _check_mode):
    """The resource for the module's parameters."""
    try:
        key = parse_key(params["key"])
        preempt = [parse_key(text) for text in params["preempt"]]
    except ValueError as error:
        raise DefinitionError([str(error)]) from error
    return ReservationResource(params["lun"], WantedReservation(params["cluster"], key, params["state"], preempt))


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "lun": {"type": "str", "required": True},
            "cluster": {"type": "str", "required": True},
            # A reservation key is an identity, not a secret: it stands in every log.
            "key": {"type": "str", "required": True, "no_log": False},
            "state": {"type": "str", "choices": ["reserved", "registered", "absent"], "default": "reserved"},
            "preempt": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    run_module(module, "reservation", build_resource)


if __name__ == "__main__":
    main()
