#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Make and configure PostgreSQL data directories on the file systems of packages."""

from __future__ import annotations

DOCUMENTATION = r"""
module: package_postgresql
short_description: PostgreSQL data directories on the file systems of packages
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
description:
  - Works on the node that has a package's file system mounted and does nothing on the others.
  - Before the first deployment of a package nobody has it mounted. The node that finds it in O(borrow) then reserves and
    mounts it for the time of this call, unless an agent or another node already knows the package.
  - Makes the data directory with checksums where it is missing, writes its configuration, certificate and access
    rules, and reloads a running server. Never restarts it; the package's owner decides about that.
  - Roles and databases that are not named are left alone. Passwords reach the server only as SCRAM verifiers.
extends_documentation_fragment: [holdfast.cluster.attributes, holdfast.cluster.databases, holdfast.cluster.databases.binaries]
"""

EXAMPLES = r"""
- name: Ensure the databases of the packages mounted here
  holdfast.cluster.package_postgresql:
    databases:
      - package: erp
        version: "17"
        port: 5432
        data_directory: /srv/erp/pgdata
        mount_point: /srv/erp
        client_networks: [10.20.0.0/24]
    settings:
      checkpoint_timeout: 60s
    accounts:
      - package: erp
        role: erp
        database: erp
        password: "{{ vault_erp_password }}"
"""

RETURN = r"""
databases:
  description: State of each database by its data directory; only C(mounted) where its file system is elsewhere.
  returned: success
  type: dict
actions:
  description: What was done or, in check mode, would be done.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.database_module import DATABASE_OPTIONS, run_database_module
from ..module_utils.postgresql_cluster import BINARIES_OPTION, PostgresqlCluster, find_binaries


def build_database(database, params, check_mode):
    """One database of the module's parameters."""
    # On a bare node check mode finds nothing installed yet, and runs nothing either.
    binaries = find_binaries(database["version"], params["binaries"], required=not check_mode)
    return PostgresqlCluster(database, binaries)


def main():
    """Run the module."""
    argument_spec = {**DATABASE_OPTIONS, "binaries": BINARIES_OPTION}
    run_database_module(AnsibleModule(argument_spec=argument_spec, supports_check_mode=True), build_database)


if __name__ == "__main__":
    main()
