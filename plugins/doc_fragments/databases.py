# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""What the modules for the databases of packages have in common."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragments C(databases) (modules that make them) and C(databases.binaries) (those that call PostgreSQL's programs)."""

    DOCUMENTATION = r"""
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
        description: Major version of PostgreSQL, or series of MariaDB such as 11.8.
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
        description:
          - Networks whose clients may connect to PostgreSQL, with TLS and a password.
          - Not used for MariaDB, where every account needs TLS and its password.
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

    BINARIES = r"""
options:
  binaries:
    description: Directory of the server's programs, with C({version}) in the place of the version.
    type: str
    default: /usr/lib/postgresql/{version}/bin
"""
