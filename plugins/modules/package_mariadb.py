#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Make and configure MariaDB data directories on the file systems of packages."""

from __future__ import annotations

DOCUMENTATION = r"""
module: package_mariadb
short_description: MariaDB data directories on the file systems of packages
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
description:
  - Works on the node that has a package's file system mounted and does nothing on the others.
  - Before the first deployment of a package nobody has it mounted. The node that finds it in O(borrow) then reserves and
    mounts it for the time of this call, unless an agent or another node already knows the package.
  - Makes the data directory where it is missing and writes its configuration and certificate. A running server reads
    changed settings at its next start; the package's owner decides about that.
  - Roles and databases that are not named are left alone. Passwords reach the server only as hashes.
extends_documentation_fragment: [holdfast.cluster.attributes, holdfast.cluster.databases]
"""

EXAMPLES = r"""
- name: Ensure the databases of the packages mounted here
  holdfast.cluster.package_mariadb:
    databases:
      - package: erp
        version: "11.8"
        port: 3306
        data_directory: /srv/erp/mysql
        mount_point: /srv/erp
        client_networks: [10.20.0.0/24]
    settings:
      innodb_log_file_size: 256M
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
from ..module_utils.mariadb_server import MariadbServer, check_installed


def build_database(database, _params, check_mode):
    """One database of the module's parameters."""
    if not check_mode:
        check_installed()
    return MariadbServer(database)


def main():
    """Run the module."""
    run_database_module(AnsibleModule(argument_spec=DATABASE_OPTIONS, supports_check_mode=True), build_database)


if __name__ == "__main__":
    main()
