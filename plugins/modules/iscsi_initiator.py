#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Names a node's iSCSI initiator and logs it in to every portal."""

from __future__ import annotations

DOCUMENTATION = r"""
module: iscsi_initiator
short_description: Log a node in to the portals of its array
description:
  - Sets the InitiatorName, one node record per portal with timeouts for multipath and CHAP in both directions, and one
    session per portal.
  - Sessions are established in the order of the list. open-iscsi makes the ISID from the session's number, so the same
    order gives the same ISIDs after every boot; the login service of the role keeps that order.
  - Secrets go into files that only root can read, never through a command line.
  - A changed secret is written to the records and is used from the next login on.
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
requirements: [open-iscsi]
extends_documentation_fragment: [holdfast.cluster.attributes]
options:
  name:
    description: InitiatorName. Changing it is refused while the node is logged in anywhere.
    type: str
    required: true
  prefix:
    description: IQN with which the cluster's targets start; sessions and records of other targets are left alone.
    type: str
    required: true
  portals:
    description: Portals in the order of login. Ignored with O(state=absent).
    type: list
    elements: dict
    default: []
    suboptions:
      target:
        description: IQN of the target.
        type: str
        required: true
      portal:
        description: Address and port.
        type: str
        required: true
  chap:
    description: Secrets for both directions. Required with O(state=present).
    type: dict
    suboptions:
      username:
        description: Name the initiator presents.
        type: str
        required: true
      password:
        description: Secret of the initiator.
        type: str
        required: true
      mutual_username:
        description: Name the target presents.
        type: str
        required: true
      mutual_password:
        description: Secret of the target.
        type: str
        required: true
  timeouts:
    description: Seconds. Required with O(state=present).
    type: dict
    suboptions:
      replacement:
        description: How long a lost session holds its commands back before multipath gets them.
        type: int
        default: 5
      noop_interval:
        description: Between two pings of an idle connection.
        type: int
        default: 2
      noop_timeout:
        description: Until an unanswered ping counts as a lost connection.
        type: int
        default: 2
      login:
        description: For one login.
        type: int
        default: 5
      abort:
        description: For a task abort; a reset of the LUN gets twice as long.
        type: int
        default: 5
  allow_removal:
    description: Log out of, and forget, targets of the cluster that are no longer named. Without it the module refuses.
    type: bool
    default: false
  state:
    description: V(absent) logs out of all targets of the cluster and deletes their records. The name stays.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Log node1 in over two storage networks
  holdfast.cluster.iscsi_initiator:
    name: iqn.2026-11.org.example:lab:node1
    prefix: iqn.2026-11.org.example:lab
    portals:
      - {target: "iqn.2026-11.org.example:lab:storage-a", portal: "10.20.1.5:3260"}
      - {target: "iqn.2026-11.org.example:lab:storage-b", portal: "10.20.2.5:3260"}
    chap: "{{ vault_chap_node1 }}"
    timeouts: {replacement: 5}
"""

RETURN = r"""
initiator:
  description: Name, records (with the names of settings that differ), order of login and sessions as they are now.
  returned: success
  type: dict
  contains:
    initiator_name:
      description: InitiatorName of the node.
      type: str
    records:
      description: Names of differing settings by target and portal; an empty list is a record as it should be.
      type: dict
    service_sessions:
      description: What the login service establishes at boot, in this order.
      type: list
      elements: str
    sessions:
      description: Number, state, ISID and InitiatorName by target and portal.
      type: dict
actions:
  description: What was done, or would be done in check mode, one line each.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.chap import CHAP_OPTIONS
from ..module_utils.iscsi_node import InitiatorResource
from ..module_utils.iscsi_plan import WantedInitiator
from ..module_utils.iscsi_record import build_node_settings
from ..module_utils.resource import run_module

PORTAL_SPEC = {"target": {"type": "str", "required": True}, "portal": {"type": "str", "required": True}}
TIMEOUT_SPEC = {
    "replacement": {"type": "int", "default": 5},
    "noop_interval": {"type": "int", "default": 2},
    "noop_timeout": {"type": "int", "default": 2},
    "login": {"type": "int", "default": 5},
    "abort": {"type": "int", "default": 5},
}


def build_resource(params, _check_mode):
    """The resource for the module's parameters."""
    if params["state"] == "absent":
        return InitiatorResource(WantedInitiator("", [], {}), params["prefix"], allow_removal=True)
    settings = build_node_settings(params["timeouts"], params["chap"])
    wanted = WantedInitiator(params["name"], params["portals"], settings)
    return InitiatorResource(wanted, params["prefix"], params["allow_removal"])


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "prefix": {"type": "str", "required": True},
            "portals": {"type": "list", "elements": "dict", "default": [], "options": PORTAL_SPEC},
            "chap": {"type": "dict", "options": CHAP_OPTIONS},
            "timeouts": {"type": "dict", "options": TIMEOUT_SPEC},
            "allow_removal": {"type": "bool", "default": False},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        required_if=[("state", "present", ("chap", "timeouts"))],
        supports_check_mode=True,
    )
    run_module(module, "initiator", build_resource)


if __name__ == "__main__":
    main()
