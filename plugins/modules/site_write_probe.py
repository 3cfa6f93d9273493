#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Try which paths of a spare LUN let this node write."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_write_probe
short_description: Try which paths of a spare LUN let this node write
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
description:
  - Reads the first block over each path and writes the same content back over it. Refused where anything stands on the LUN.
  - Never a change, as the content stays the same. In check mode nothing is written and no path is returned.
extends_documentation_fragment: [holdfast.cluster.attributes.info]
options:
  lun:
    description: WWID or multipath map of the LUN.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: See whether the reservation keeps this node out
  holdfast.cluster.site_write_probe:
    lun: 36001405e1295acd130e5303b96e78be9
  register: probe
"""

RETURN = r"""
paths:
  description: By path V(written), V(refused), or the error.
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.resource import run_info_module
from ..module_utils.write_probe import probe_paths


def main():
    """Run the module."""
    module = AnsibleModule(argument_spec={"lun": {"type": "str", "required": True}}, supports_check_mode=True)
    run_info_module(module, "paths", lambda params: {} if module.check_mode else probe_paths(params["lun"]))


if __name__ == "__main__":
    main()
