#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Read the few facts about a host that the roles ask for."""

from __future__ import annotations

DOCUMENTATION = r"""
module: system_facts
short_description: Read distribution, Python and installed packages of a host
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
description:
  - The roles' values stand in one file per system, and a package that is installed need not be asked for again. Both are
    read from files here, without a process; M(ansible.builtin.setup) starts dozens for the same answer.
  - The names are those of M(ansible.builtin.setup), which does as well.
extends_documentation_fragment: [holdfast.cluster.attributes.info]
options: {}
"""

EXAMPLES = r"""
- name: Ask the hosts for their system
  holdfast.cluster.system_facts:
"""

RETURN = r"""
ansible_facts:
  description: Facts of the host.
  returned: success
  type: dict
  contains:
    distribution:
      description: Name of the distribution, such as V(Debian).
      type: str
    distribution_major_version:
      description: Its version up to the first point.
      type: str
    python:
      description: Version of the Python that runs modules, as C(version).
      type: dict
    holdfast_ensured_packages:
      description: Versions of the installed packages, and the run that saw them. Added by the action plugin.
      type: dict
packages:
  description: Versions of the installed packages by name.
  returned: success
  type: dict
"""

import sys
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.errors import HoldfastError
from ..module_utils.package_set import read_installed
from ..module_utils.system import parse_os_release


def main():
    """Run the module."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    try:
        system = parse_os_release(Path("/etc/os-release").read_text(encoding="utf-8"))
    except HoldfastError as error:
        module.fail_json(**error.as_result())
    version = {"major": sys.version_info.major, "minor": sys.version_info.minor, "micro": sys.version_info.micro}
    facts = {**system, "python": {"executable": sys.executable, "version": version}}
    module.exit_json(changed=False, ansible_facts=facts, packages=read_installed())


if __name__ == "__main__":
    main()
