#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes multipath.conf, lets multipath check it, loads it, and keeps the daemon running."""

from __future__ import annotations

DOCUMENTATION = r"""
module: multipath_config
short_description: Configure multipathd, keep it running, and make sure that LUNs have their maps
description:
  - Writes the file, asks C(multipath -t) for complaints, puts the old file back if there are any, and lets a running
    daemon load the new one. The daemon is never restarted, so no map is ever torn down.
  - The daemon is enabled and running afterwards, and systemd starts it again whenever it dies, however often.
  - With O(maps) each map exists afterwards as M(holdfast.cluster.multipath_map) would ensure it.
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
requirements: [multipath-tools]
extends_documentation_fragment: [holdfast.cluster.attributes, holdfast.cluster.multipath_maps]
options:
  path:
    description: The file.
    type: path
    default: /etc/multipath.conf
  content:
    description: The whole text.
    type: str
    required: true
  maps:
    default: []
  map_timeout_seconds:
    description: How long to wait for a map.
    type: int
    default: 30
"""

EXAMPLES = r"""
- name: Write multipath.conf from a template
  holdfast.cluster.multipath_config:
    content: "{{ lookup('ansible.builtin.template', 'multipath.conf.j2') }}"
"""

RETURN = r"""
config:
  description: File and daemon as they are now.
  returned: success
  type: dict
  contains:
    file:
      description: The text of the file, as C(content).
      type: dict
    drop_in:
      description: The daemon's drop-in by path.
      type: dict
    unit:
      description: State of the daemon's unit by name.
      type: dict
    maps:
      description: As returned by M(holdfast.cluster.multipath_map_info), with O(maps).
      type: dict
actions:
  description: What was done, or would be done in check mode, one line each.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.file_set import FileSet
from ..module_utils.multipath_node import MAP_OPTIONS, ConfigResource, MapResource
from ..module_utils.resource import run_module
from ..module_utils.unit_set import UnitSet

UNIT = "multipathd.service"
NOTE = "/var/lib/holdfast/unfinished/multipath"
DROP_IN_DIRECTORY = f"/etc/systemd/system/{UNIT}.d"
DROP_IN = """\
[Unit]
StartLimitIntervalSec=0

[Service]
Restart=always
RestartSec=1
"""


def build_parts(params, check_mode):
    """File, drop-in, unit and maps, in this order."""
    root = {"owner": "root", "group": "root"}
    files = {
        DROP_IN_DIRECTORY: {"kind": "directory", "mode": "0755", **root},
        f"{DROP_IN_DIRECTORY}/holdfast.conf": {"kind": "file", "mode": "0644", "content": DROP_IN, **root},
    }
    parts = {
        "file": ConfigResource(params["path"], params["content"], NOTE),
        "drop_in": FileSet(files),
        "unit": UnitSet({UNIT: {"enabled": True, "active": True}}, may_be_missing=check_mode),
    }
    if params["maps"]:
        parts["maps"] = MapResource(params["maps"], True, params["map_timeout_seconds"], check_mode)
    return parts


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "default": "/etc/multipath.conf"},
            "content": {"type": "str", "required": True},
            "maps": {"type": "list", "elements": "dict", "default": [], "options": MAP_OPTIONS},
            "map_timeout_seconds": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    run_module(module, "config", build_parts)


if __name__ == "__main__":
    main()
