#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Let the poolers of packages look up who may log in."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pooler_login
short_description: Let the poolers of packages look up who may log in
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
description:
  - Makes the role C(holdfast_pooler) and, in every database and in C(template1), the function C(holdfast_pooler.lookup) that
    it alone may call. The function tells the password verifier of a role that may log in and is no superuser.
  - Works on the node whose PostgreSQL runs and does nothing on the others.
extends_documentation_fragment: [holdfast.cluster.attributes, holdfast.cluster.databases.binaries]
options:
  logins:
    description: The packages' databases.
    type: list
    elements: dict
    required: true
    suboptions:
      package:
        description: Name of the package.
        type: str
        required: true
      version:
        description: Major version of PostgreSQL.
        type: str
        required: true
      port:
        description: TCP port; part of the socket's name.
        type: int
        required: true
      data_directory:
        description: Directory of the data.
        type: path
        required: true
      password:
        description: Password of the role. Reaches the server only as a SCRAM verifier.
        type: str
        required: true
"""

EXAMPLES = r"""
- name: Let the poolers look up accounts
  holdfast.cluster.pooler_login:
    logins:
      - package: erp
        version: "17"
        port: 5432
        data_directory: /srv/erp/pgdata
        password: "{{ vault_pooler_password }}"
"""

RETURN = r"""
logins:
  description: By package, the databases with the digest of their function; only C(running) where the server is elsewhere.
  returned: success
  type: dict
actions:
  description: What was done or, in check mode, would be done.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.pooler_login import PoolerLogin
from ..module_utils.postgresql_cluster import BINARIES_OPTION
from ..module_utils.resource import run_module
from ..module_utils.resource_group import ResourceGroup


def main():
    """Run the module."""
    login = {
        "package": {"type": "str", "required": True},
        "version": {"type": "str", "required": True},
        "port": {"type": "int", "required": True},
        "data_directory": {"type": "path", "required": True},
        "password": {"type": "str", "required": True, "no_log": True},
    }
    module = AnsibleModule(
        argument_spec={
            "logins": {"type": "list", "elements": "dict", "required": True, "options": login},
            "binaries": BINARIES_OPTION,
        },
        supports_check_mode=True,
    )
    run_module(module, "logins", lambda params, _check: build_logins(params["logins"], params["binaries"]))


def build_logins(logins, binaries):
    """One resource for all packages."""
    return ResourceGroup({item["package"]: PoolerLogin(item, binaries.format(version=item["version"])) for item in logins})


if __name__ == "__main__":
    main()
