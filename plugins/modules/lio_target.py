#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Builds the iSCSI target of one cluster on one array in one transaction."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lio_target
short_description: Build the iSCSI target of a cluster in the Linux kernel's target
description:
  - Backstores without write cache, one target with one portal per storage network, one ACL per initiator with mutual CHAP
    and only its LUNs, and the directory for reservations that survive a restart of the array.
  - Every session of a node gets an ACL object of its own. LIO refuses writes of a node's second session inside one ACL
    under a persistent reservation.
  - Everything is done in one process through rtslib, then saved once for the next start.
  - Targets and backstores that are not of this cluster are left alone.
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
requirements: [python3-rtslib-fb]
extends_documentation_fragment: [holdfast.cluster.attributes]
options:
  cluster:
    description: Name of the cluster; part of every LUN's unit serial number.
    type: str
    required: true
  prefix:
    description: IQN that all targets of this cluster start with; the name of the storage network follows after a colon.
    type: str
    required: true
  portals:
    description: One entry per storage network. Ignored with O(state=absent).
    type: list
    elements: dict
    default: []
    suboptions:
      network:
        description: Name of the storage network.
        type: str
        required: true
      address:
        description: Address of the array on it.
        type: str
        required: true
      port:
        description: TCP port.
        type: int
        default: 3260
  luns:
    description: The LUNs. Ignored with O(state=absent).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the LUN and of its backstore.
        type: str
        required: true
      size:
        description: Size with a binary unit. A LUN can grow and not shrink. For a block device the device's size counts.
        type: str
        required: true
      plugin:
        description: V(fileio) for a file, opened with O_DSYNC; V(block) for a block device.
        type: str
        choices: [fileio, block]
        default: fileio
      path:
        description: File or block device.
        type: path
        required: true
  initiators:
    description: Who may log in. Ignored with O(state=absent).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: InitiatorName.
        type: str
        required: true
      luns:
        description: Names of the LUNs that it sees.
        type: list
        elements: str
        required: true
      chap:
        description: Secrets for both directions.
        type: dict
        required: true
        suboptions:
          username:
            description: Name the initiator presents.
            type: str
            required: true
          password:
            description: Secret of the initiator, at least 12 characters.
            type: str
            required: true
          mutual_username:
            description: Name the target presents.
            type: str
            required: true
          mutual_password:
            description: Secret of the target, at least 12 characters, not the same as the other one.
            type: str
            required: true
  allow_removal:
    description:
      - Take away targets, initiators and LUNs of this cluster that are no longer named. Without it the module refuses.
      - Files and devices behind a removed LUN stay.
    type: bool
    default: false
  state:
    description: V(absent) takes away everything of this cluster, provided no initiator is logged in.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Serve one LUN to one node over two storage networks
  holdfast.cluster.lio_target:
    cluster: lab
    prefix: iqn.2026-11.org.example:lab
    portals:
      - {network: storage_a, address: 10.20.1.5}
      - {network: storage_b, address: 10.20.2.5}
    luns:
      - {name: erp-data, size: 4 GiB, path: /var/lib/holdfast/luns/erp-data}
    initiators:
      - name: iqn.2026-11.org.example:lab:node1
        luns: [erp-data]
        chap: "{{ vault_chap_node1 }}"
"""

RETURN = r"""
target:
  description: The cluster's backstores and targets as they are now, without secrets.
  returned: success
  type: dict
  contains:
    aptpl_directory:
      description: Whether registrations survive a restart and a power cut of the array.
      type: bool
    saved:
      description: Whether the saved configuration equals the running one.
      type: bool
    backstores:
      description: Plugin, path, size in bytes, unit serial number and write cache by LUN name.
      type: dict
    targets:
      description: Portals, LUN numbers and initiators by IQN.
      type: dict
actions:
  description: What was done, or would be done in check mode, one line each.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.chap import CHAP_OPTIONS
from ..module_utils.definition.sizes import parse_size
from ..module_utils.errors import DefinitionError, HoldfastError
from ..module_utils.lio_plan import build_wanted
from ..module_utils.lio_rtslib import TargetResource
from ..module_utils.resource import run_module

PORTAL_SPEC = {
    "network": {"type": "str", "required": True},
    "address": {"type": "str", "required": True},
    "port": {"type": "int", "default": 3260},
}
LUN_SPEC = {
    "name": {"type": "str", "required": True},
    "size": {"type": "str", "required": True},
    "plugin": {"type": "str", "choices": ["fileio", "block"], "default": "fileio"},
    "path": {"type": "path", "required": True},
}
INITIATOR_SPEC = {
    "name": {"type": "str", "required": True},
    "luns": {"type": "list", "elements": "str", "required": True},
    "chap": {"type": "dict", "required": True, "options": CHAP_OPTIONS},
}


def build_resource(params, check_mode):
    """The resource for the module's parameters."""
    if params["state"] == "absent":
        wanted = {"backstores": {}, "targets": {}}
    else:
        luns = [{**lun, "size": _size(index, lun)} for index, lun in enumerate(params["luns"])]
        wanted = build_wanted(params["cluster"], params["prefix"], params["portals"], luns, params["initiators"])
    removal = params["allow_removal"] or params["state"] == "absent"
    return TargetResource(wanted, params["cluster"], params["prefix"], removal, check_mode)


def _size(index, lun):
    try:
        return parse_size(lun["size"])
    except HoldfastError as error:
        raise DefinitionError([f"luns[{index}].size: {error}"]) from error


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "cluster": {"type": "str", "required": True},
            "prefix": {"type": "str", "required": True},
            "portals": {"type": "list", "elements": "dict", "default": [], "options": PORTAL_SPEC},
            "luns": {"type": "list", "elements": "dict", "default": [], "options": LUN_SPEC},
            "initiators": {"type": "list", "elements": "dict", "default": [], "options": INITIATOR_SPEC},
            "allow_removal": {"type": "bool", "default": False},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    run_module(module, "target", build_resource)


if __name__ == "__main__":
    main()
