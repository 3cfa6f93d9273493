"""The one schema of the definitions, in the form of an Ansible argument spec.

Role argument specs, module docs and the reference page are compared with it by
tests/unit/definition/test_schema_drift.py. `pattern` is the only key that Ansible does
not know; it is a full-match regular expression with `hint` as its wording.
"""

from __future__ import annotations

from typing import Any

Spec = dict[str, Any]

#: Names become file names, keepalived identifiers, multipath aliases and LVM names.
_NAME = {
    "type": "str",
    "pattern": r"[a-z][a-z0-9_-]{0,31}",
    "hint": "lower case, digits, - and _, starting with a letter",
}
_LUN_NAME = {
    **_NAME,
    "pattern": r"(?!.*(p|_part)[0-9]+$)[a-z][a-z0-9_-]{0,31}",
    "hint": "as a package name, and not ending like a partition (p1, _part1)",
}
_LVM_NAME = {
    "type": "str",
    "pattern": r"[a-zA-Z0-9_][a-zA-Z0-9_.+]{0,62}",
    "hint": "letters, digits and _ . + (a - is doubled by device-mapper)",
}
_VERSION = {"type": "str", "pattern": r"[0-9]+(\.[0-9]+)*", "hint": "a version number"}
_PORT = {"type": "int", "minimum": 1, "maximum": 65535}
_PATH = {
    "type": "str",
    "pattern": r"/[^\s,:]*[^\s,:/]",
    "hint": "an absolute path without blanks and without a / at the end",
}
_UNIT = {
    "type": "str",
    "pattern": r"[A-Za-z0-9@_.:-]+\.(service|socket|timer|target)",
    "hint": "a unit name with its suffix",
}
_AGENT = {
    "type": "str",
    "pattern": r"[A-Za-z0-9_.-]+:[A-Za-z0-9_.-]+",
    "hint": "provider:agent, such as heartbeat:oracle",
}


def _required(spec: Spec, description: str) -> Spec:
    return {**spec, "required": True, "description": description}


def _database(title: str, port: int) -> Spec:
    return {
        "type": "dict",
        "description": f"{title} on the package's file system.",
        "options": {
            "version": _required(_VERSION, "Version that the distribution carries."),
            "port": {**_PORT, "default": port, "description": "TCP port; unique in the cluster."},
            "data_directory": _required(_PATH, "Directory below one of the package's file systems."),
        },
    }


CLUSTER: Spec = {
    "name": _required(_NAME, "Name of the cluster; part of LUN serials and reservation keys, so never change it."),
    "profile": {
        "type": "str",
        "choices": ["fast", "standard", "conservative"],
        "default": "standard",
        "description": "Set of timers.",
    },
    "nodes": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "description": "Members of the cluster.",
        "options": {
            "name": _required({"type": "str"}, "Inventory name of the node."),
            "id": _required(
                {"type": "int", "minimum": 1, "maximum": 255},
                "Number of the node in its reservation keys; never reused.",
            ),
        },
    },
    "heartbeat_networks": {
        "type": "list",
        "elements": "str",
        "required": True,
        "description": "Networks that carry heartbeats; keys of holdfast_addresses.",
    },
    "storage_networks": {
        "type": "list",
        "elements": "str",
        "required": True,
        "description": "Networks with a portal of the array each; keys of holdfast_addresses.",
    },
    "witness": {
        "type": "list",
        "elements": "str",
        "required": True,
        "description": "Addresses whose silence tells a node that it is the isolated one.",
    },
    "watchdog": {
        **_PATH,
        "default": "/dev/watchdog",
        "description": "Device that resets the node when it is no longer fed.",
    },
}

LUN: Spec = {
    "name": _required(_LUN_NAME, "Name of the LUN and alias of its multipath map."),
    "size": _required({"type": "str"}, "Size with a binary unit, such as 64 MiB or 4 GiB."),
    "array": {
        "type": "str",
        "description": "Inventory name of the Linux array that makes it; default is the only host of group array.",
    },
    "wwid": {
        "type": "str",
        "pattern": r"[0-9a-f]{17,33}",
        "hint": "the WWID that multipath -v2 shows",
        "description": "WWID of a LUN that an array outside this inventory provides.",
    },
}

RESOURCE: Spec = {
    "postgresql": _database("PostgreSQL", 5432),
    "mariadb": _database("MariaDB", 3306),
    "systemd": {**_UNIT, "description": "Unit that is started and stopped with the package."},
    "ocf": {
        "type": "dict",
        "description": "Agent of the distribution's resource-agents.",
        "options": {
            "agent": _required(_AGENT, "Provider and name of the agent."),
            "parameters": {
                "type": "dict",
                "default": {},
                "description": "Parameters of the agent, without OCF_RESKEY_.",
            },
        },
    },
}

POOLER: Spec = {
    "host": _required({"type": "str"}, "Inventory name of the host that it runs on; not a node of the cluster."),
    "port": {**_PORT, "default": 6432, "description": "TCP port for clients; unique on its host."},
    "control_port": {
        **_PORT,
        "default": 6433,
        "description": "TCP port where the nodes ask it to pause and to go on; unique on its host.",
    },
    "pause_seconds": {
        "type": "float",
        "minimum": 0.1,
        "maximum": 60,
        "default": 5,
        "description": "How long a move waits for transactions under way; then it is refused.",
    },
    "hold_seconds": {
        "type": "float",
        "minimum": 1,
        "maximum": 600,
        "default": 60,
        "description": "After this time the pooler lets clients go on by itself, whatever became of the move.",
    },
}

PACKAGE: Spec = {
    "name": _required(_NAME, "Name of the package."),
    "nodes": {
        "type": "list",
        "elements": "str",
        "required": True,
        "description": "Nodes that may own it, in order of preference.",
    },
    "failback": {
        "type": "str",
        "choices": ["manual", "automatic"],
        "default": "manual",
        "description": "Whether it moves home by itself.",
    },
    "auto_start": {
        "type": "bool",
        "default": True,
        "description": "Whether the agents start it after a boot of the whole cluster.",
    },
    "virtual_addresses": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "description": "Addresses that are up on the owner only.",
        "options": {
            "address": _required({"type": "str"}, "Address with prefix length, such as 10.20.0.50/24."),
            "interface": _required(
                {"type": "str", "pattern": r"[A-Za-z0-9_.-]{1,15}", "hint": "an interface name"},
                "Interface on every node, or a key of holdfast_interfaces.",
            ),
        },
    },
    "storage": {
        "type": "dict",
        "required": True,
        "description": "LUNs, volume group and file systems.",
        "options": {
            "lock_lun": _required({"type": "str"}, "Small LUN for arbitration; carries no data."),
            "luns": {"type": "list", "elements": "str", "required": True, "description": "LUNs of the volume group."},
            "volume_group": _required(_LVM_NAME, "Volume group; unique in the cluster."),
            "filesystems": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "description": "Volumes, their file systems and mount points.",
                "options": {
                    "volume": _required(_LVM_NAME, "Logical volume."),
                    "size": _required({"type": "str"}, "Size with a binary unit, or a share such as 100%FREE."),
                    "fstype": {
                        "type": "str",
                        "choices": ["xfs", "ext4"],
                        "default": "xfs",
                        "description": "File system.",
                    },
                    "path": _required(_PATH, "Mount point; neither inside nor around another one."),
                    "options": {"type": "str", "default": "noatime", "description": "Mount options."},
                },
            },
        },
    },
    "resources": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": RESOURCE,
        "description": "Started in this order, stopped in reverse; each names exactly one class.",
    },
    "poolers": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": POOLER,
        "description": "Connection poolers that stay where they are while the package moves.",
    },
    "objectives": {
        "type": "dict",
        "default": {},
        "description": "What drills hold the package to.",
        "options": {
            "switchover_seconds": {
                "type": "float",
                "minimum": 0.1,
                "default": 3,
                "description": "Client-seen time of a planned move.",
            },
            "takeover_seconds": {
                "type": "float",
                "minimum": 0.1,
                "default": 5,
                "description": "Client-seen time of a takeover.",
            },
            "lost_transactions": {
                "type": "int",
                "minimum": 0,
                "default": 0,
                "description": "Acknowledged transactions that may be missing.",
            },
        },
    },
}

#: The inventory's variables, in the order in which they are read.
DEFINITIONS: Spec = {
    "holdfast_cluster": {"type": "dict", "required": True, "options": CLUSTER, "description": "The cluster."},
    "holdfast_luns": {"type": "list", "elements": "dict", "required": True, "options": LUN, "description": "The LUNs."},
    "holdfast_packages": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": PACKAGE,
        "description": "The packages.",
    },
}
