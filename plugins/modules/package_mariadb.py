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
extends_documentation_fragment: [holdfast.cluster.attributes]
options:
  databases:
    description: The databases.
    type: list
    elements: dict
    required: true
    suboptions:
      package:
        description: Name of the package; common name of the certificate.
        type: str
        required: true
      version:
        description: Series, such as 11.8.
        type: str
        required: true
      port:
        description: TCP port.
        type: int
        required: true
      data_directory:
        description: Directory below the mount point.
        type: path
        required: true
      mount_point:
        description: File system that must be mounted here before anything is done.
        type: path
        required: true
      addresses:
        description: Virtual addresses that the certificate is good for.
        type: list
        elements: str
        default: []
      client_networks:
        description: Not used; every account needs TLS and its password.
        type: list
        elements: str
        default: []
  settings:
    description: Server settings by name, for all databases. The port is added.
    type: dict
    default: {}
  accounts:
    description: Roles that may log in, each with the database it owns.
    type: list
    elements: dict
    default: []
    suboptions:
      package:
        description: Package whose database it is for.
        type: str
        required: true
      role:
        description: Name of the role.
        type: str
        required: true
      database:
        description: Name of its database.
        type: str
        required: true
      password:
        description: Its password; ASCII.
        type: str
        required: true
  borrow:
    description: Volumes of packages that this node may mount for the first time, from the filter C(borrowed_volumes).
    type: list
    elements: dict
    default: []
    suboptions:
      package:
        description: Name of the package.
        type: str
        required: true
      cluster:
        description: Name of the cluster, part of the reservation key.
        type: str
        required: true
      node_id:
        description: Number of this node, part of the reservation key.
        type: int
        required: true
      luns:
        description: LUNs of the volume group.
        type: list
        elements: str
        required: true
      volume_group:
        description: Volume group.
        type: str
        required: true
      filesystems:
        description: Mounted in this order.
        type: list
        elements: dict
        required: true
        suboptions:
          volume:
            description: Logical volume.
            type: str
            required: true
          fstype:
            description: File system.
            type: str
            required: true
          path:
            description: Mount point.
            type: path
            required: true
          options:
            description: Mount options.
            type: str
            required: true
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

from ..module_utils.borrowed_volume import BORROW_OPTION
from ..module_utils.database_module import run_database_module
from ..module_utils.mariadb_server import MariadbServer, check_installed


def argument_spec():
    """The options as AnsibleModule takes them."""
    account = {
        "package": {"type": "str", "required": True},
        "role": {"type": "str", "required": True},
        "database": {"type": "str", "required": True},
        "password": {"type": "str", "required": True, "no_log": True},
    }
    database = {
        "package": {"type": "str", "required": True},
        "version": {"type": "str", "required": True},
        "port": {"type": "int", "required": True},
        "data_directory": {"type": "path", "required": True},
        "mount_point": {"type": "path", "required": True},
        "addresses": {"type": "list", "elements": "str", "default": []},
        "client_networks": {"type": "list", "elements": "str", "default": []},
    }
    return {
        "databases": {"type": "list", "elements": "dict", "required": True, "options": database},
        "settings": {"type": "dict", "default": {}},
        "borrow": BORROW_OPTION,
        "accounts": {"type": "list", "elements": "dict", "default": [], "options": account},
    }


def build_database(database, params, check_mode):
    """One database of the module's parameters."""
    if not check_mode:
        check_installed()
    accounts = [account for account in params["accounts"] if account["package"] == database["package"]]
    settings = {**params["settings"], "port": database["port"]}
    return MariadbServer({**database, "settings": settings, "accounts": accounts})


def main():
    """Run the module."""
    run_database_module(AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True), build_database)


if __name__ == "__main__":
    main()
