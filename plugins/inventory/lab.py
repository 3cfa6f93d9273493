# Copyright: Holdfast contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

from __future__ import annotations

DOCUMENTATION = r"""
name: lab
short_description: The nodes of a Holdfast lab that is up or was made
version_added: 0.1.0
description:
  - Reads a lab's folder and gives its nodes with their addresses and the way to reach them.
  - The groups are C(array), C(cluster_nodes) and C(clients); C(poolers) are the clients, which are where applications run.
  - Nodes are reached through the lab's own SSH configuration, with host keys checked.
options:
  plugin:
    description: The name of this plugin.
    required: true
    choices: [holdfast.cluster.lab, lab]
  name:
    description: The lab's name.
    default: lab
    env:
      - name: HOLDFAST_LAB
  state:
    description: The folder in which labs are kept; empty means the one that the command line uses.
    type: path
    env:
      - name: HOLDFAST_STATE
"""

EXAMPLES = r"""
# inventories/lab/lab.yml
plugin: holdfast.cluster.lab
"""

import ipaddress
import json
import os
import string
from pathlib import Path

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin

GROUPS = {"array": "array", "node": "cluster_nodes", "client": "clients"}
POOLERS = "poolers"
DATA_DISKS = {"uml": "/dev/ubd", "qemu": "/dev/vd"}
FIRST_DATA_UNIT = 2           # after the system disk and the package pool


class InventoryModule(BaseInventoryPlugin):
    """Inventory of one lab."""

    NAME = "holdfast.cluster.lab"

    def verify_file(self, path: str) -> bool:
        return super().verify_file(path) and path.endswith(("lab.yml", "lab.yaml"))

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        folder = self._folder()
        lab = read_lab(folder)
        # ssh runs the proxy command with it; bash would read ~/.bashrc first (src/holdfast/cli.py).
        os.environ["SHELL"] = "/bin/sh"
        for group in GROUPS.values():
            inventory.add_group(group)
        inventory.add_group(POOLERS)
        inventory.add_child(POOLERS, GROUPS["client"])
        for name, machine in lab["topology"]["nodes"].items():
            inventory.add_host(name, group=GROUPS[machine["role"]])
            for key, value in host_variables(lab, name, folder).items():
                inventory.set_variable(name, key, value)

    def _folder(self) -> Path:
        state = self.get_option("state")
        if not state:
            state = os.path.join(os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state"), "holdfast")
        return Path(state) / "labs" / self.get_option("name")


def read_lab(folder: Path) -> dict:
    """The lab's own record; AnsibleParserError says how to make a lab that is not there."""
    try:
        return json.loads((folder / "lab.json").read_text())
    except FileNotFoundError:
        raise AnsibleParserError(
            f"there is no lab '{folder.name}'; make it with: holdfast lab up --name {folder.name}"
        ) from None           # Ansible would append the file's absence, in its own words
    except ValueError as error:
        raise AnsibleParserError(f"{folder / 'lab.json'} can't be read: {error}") from None


def host_variables(lab: dict, name: str, folder: Path) -> dict:
    """Connection and address variables of one node."""
    machine = lab["topology"]["nodes"][name]
    networks = lab["topology"]["networks"]
    addresses = {
        network: str(ipaddress.ip_network(networks[network]["subnet"])[machine["host"]])
        for network in machine["networks"]
    }
    prefix = DATA_DISKS[lab["backend"]]
    return {
        "ansible_host": name,
        "ansible_user": "root",
        "ansible_ssh_common_args": f"-F {folder / 'ssh_config'}",
        "ansible_control_path_dir": str(folder / "cp"),
        "holdfast_addresses": addresses,
        "lab_name": lab["name"],
        "lab_disks": [
            {"name": disk["name"], "device": prefix + string.ascii_lowercase[FIRST_DATA_UNIT + i], "size_gib": disk["size_gib"]}
            for i, disk in enumerate(machine["disks"])
        ],
    }
