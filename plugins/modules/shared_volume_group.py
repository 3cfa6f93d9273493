#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Creates and grows a volume group that moves between nodes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: shared_volume_group
short_description: Create and grow a volume group that moves between nodes
description:
  - Run it on every node of the package. The group is created by the one node with O(create=true), under that node's LVM
    system ID and without autoactivation, and left inactive. Every node lists the LUNs in its LVM devices file.
  - Grows devices, volumes and mounted file systems online, on the node that owns the group.
  - Refuses a LUN that carries anything but this group, and one that has keys of somebody else than the cluster. Changes
    nothing where another node holds the LUNs or owns the group.
  - A run that was cut off is finished by the next one. A LUN that LVM labelled and never put into a group counts as blank, a file
    system is marked as complete by a tag on its volume, and a group that nobody started is left inactive.
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
requirements: [lvm2, util-linux, xfsprogs or e2fsprogs]
extends_documentation_fragment: [holdfast.cluster.attributes]
options:
  name:
    description: Name of the volume group.
    type: str
    required: true
  devices:
    description: Its LUNs as multipath maps.
    type: list
    elements: path
    required: true
  volumes:
    description: Logical volumes with their file systems.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the logical volume.
        type: str
        required: true
      size:
        description: Size with a binary unit, or a share of the free space such as V(100%FREE).
        type: str
        required: true
      fstype:
        description: File system.
        type: str
        choices: [xfs, ext4]
        default: xfs
  cluster:
    description: Name of the cluster; tells its reservation keys from other people's. Required with O(state=present).
    type: str
  node_id:
    description: Number of this node in its reservation keys. Required with O(state=present).
    type: int
  state:
    description: V(absent) lets LVM on this node forget the LUNs. What is on them stays.
    type: str
    choices: [present, absent]
    default: present
  create:
    description: Whether this node creates the group if nobody did. True on exactly one node.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Build the volume group of package erp
  holdfast.cluster.shared_volume_group:
    name: vg_erp
    devices: [/dev/mapper/erp-data]
    volumes:
      - {name: data, size: 100%FREE, fstype: xfs}
    cluster: lab
    node_id: 1
    create: "{{ inventory_hostname == 'node1' }}"
"""

RETURN = r"""
shared_volume:
  description: The group as this node sees it.
  returned: success
  type: dict
  contains:
    system_id:
      description: LVM system ID of this node.
      type: str
    group:
      description: System ID of the owner, autoactivation, free bytes, devices and volumes; null where there is no group.
      type: dict
    devices:
      description: Size, content and group of every LUN.
      type: dict
    devices_file:
      description: Devices that LVM on this node looks at.
      type: list
      elements: str
    waiting:
      description: What has to wait until the package runs on this node.
      type: list
      elements: str
actions:
  description: What was done, or would be done in check mode, one line each.
  returned: success
  type: list
  elements: str
"""

import re

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.definition.sizes import parse_size
from ..module_utils.resource import run_module
from ..module_utils.volume_node import ForgottenDevices, GroupResource
from ..module_utils.volume_plan import WantedGroup

VOLUME_SPEC = {
    "name": {"type": "str", "required": True},
    "size": {"type": "str", "required": True},
    "fstype": {"type": "str", "choices": ["xfs", "ext4"], "default": "xfs"},
}
_SHARE = re.compile(r"\d{1,3}%FREE")


def parse_volume_size(text):
    """Bytes, or the share as LVM writes it."""
    return text if _SHARE.fullmatch(text) else parse_size(text)


def build_resource(params, check_mode):
    """The resource for the module's parameters."""
    if params["state"] == "absent":
        return ForgottenDevices(params["devices"])
    volumes = [{**volume, "size": parse_volume_size(volume["size"])} for volume in params["volumes"]]
    names = ("name", "devices", "cluster", "node_id", "create")
    return GroupResource(WantedGroup(volumes=volumes, **{name: params[name] for name in names}), check_mode)


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "devices": {"type": "list", "elements": "path", "required": True},
            "volumes": {"type": "list", "elements": "dict", "default": [], "options": VOLUME_SPEC},
            "cluster": {"type": "str"},
            "node_id": {"type": "int"},
            "create": {"type": "bool", "default": False},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        required_if=[("state", "present", ("cluster", "node_id"))],
        supports_check_mode=True,
    )
    run_module(module, "shared_volume", build_resource)


if __name__ == "__main__":
    main()
