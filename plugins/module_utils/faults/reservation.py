# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Reservations that somebody else meddles with, and the proof that they hold.

This is the only place of the project that clears reservations: it plays the person who does it by mistake.
"""

from __future__ import annotations

import inspect
import struct
import sys

from .. import scsi_persistent as pr
from ..errors import HoldfastError, ReservationConflict, ScsiError
from ..scsi_generic import SgDevice
from ..scsi_paths import find_paths
from . import unregister
from .base import Fault

# SPC-4 6.16: service actions that nothing but a fault may use.
REGISTER_AND_IGNORE, CLEAR = 0x06, 0x03
# "STRANGER" would be a key of no cluster: the top bit of a cluster's key is always set, here it is not.
STRANGER_KEY = 0x5354524E00000001
# SBC-3: operation codes.
READ_CAPACITY_16, READ_16, WRITE_16 = 0x9E, 0x88, 0x8A


def paths_of(context):
    """Device nodes by LUN name."""
    return {name: [path.device for path in find_paths(wwid)] for name, wwid in context.wwids().items()}


def read_keys(device):
    """Registered keys, one per nexus."""
    with SgDevice(device) as path:
        return pr.parse_keys(path.receive(pr.build_in_cdb(pr.READ_KEYS, 1024), 1024))[1]


def reserve_out(device, action, key, action_key=0):
    """One PERSISTENT RESERVE OUT."""
    with SgDevice(device) as path:
        path.send(pr.build_out_cdb(action), pr.build_out_parameters(key, action_key))


class KeysCleared(Fault):
    """Register, then CLEAR, as an operator with a recovery manual would."""

    needs_package = True

    def inject(self):
        for devices in paths_of(self.context).values():
            reserve_out(devices[0], REGISTER_AND_IGNORE, 0, STRANGER_KEY)
            reserve_out(devices[0], CLEAR, STRANGER_KEY)
            self.memory.setdefault("left", []).extend(read_keys(devices[0]))

    def prove(self):
        left = self.memory.get("left", ["not tried"])
        return not left, f"{len(left)} keys were left right after the clearing"

    def heal_commands(self):
        return []


class StrangerKey(Fault):
    """A key of no cluster is registered on the data LUNs."""

    needs_package = True

    def devices(self):
        names = [lun["name"] for lun in self.context.package["storage"]["luns"]]
        return [paths_of(self.context)[name][0] for name in names]

    def remember(self):
        return {"devices": self.devices()}

    def inject(self):
        for device in self.memory["devices"]:
            reserve_out(device, pr.REGISTER, 0, STRANGER_KEY)
            self.memory.setdefault("seen", []).append(STRANGER_KEY in read_keys(device))

    def prove(self):
        seen = self.memory.get("seen", [])
        return bool(seen) and all(seen), f"the key was seen on {sum(seen)} of {len(self.memory['devices'])} LUNs"

    def heal_commands(self):
        """A program of its own, because the timer has no module to call."""
        code = inspect.getsource(unregister)
        key = pr.key_text(STRANGER_KEY)
        return [[sys.executable or "/usr/bin/python3", "-c", code, d, key] for d in self.memory.get("devices", [])]


def try_writes(context):
    """Read the first block of every LUN and write the same bytes back, through every path.

    Nothing uses that block: LVM's label begins in the second sector, the agent's notes at 1 MiB. Returns one entry per
    path with I(refused) true (reservation conflict), false (written) or null (neither).
    """
    tries = []
    for lun, wwid in context.wwids().items():
        try:
            paths = [path.device for path in find_paths(wwid)]
        except HoldfastError as error:
            tries.append({"lun": lun, "path": "none", "refused": None, "error": error.message})
            continue
        tries += [{"lun": lun, "path": path, **try_write(path)} for path in paths]
    return tries


def try_write(device):
    """One path: refused true, false or None, and what was said."""
    try:
        with SgDevice(device) as path:
            answer = path.receive(struct.pack(">BBQIBB", READ_CAPACITY_16, 0x10, 0, 32, 0, 0), 32)
            (size,) = struct.unpack_from(">I", answer, 8)
            block = path.receive(struct.pack(">BBQIBB", READ_16, 0, 0, 1, 0, 0), size)
            path.send(struct.pack(">BBQIBB", WRITE_16, 0, 0, 1, 0, 0), block)
    except ReservationConflict as error:
        return {"refused": True, "error": error.message}
    except ScsiError as error:
        return {"refused": None, "error": error.message}
    return {"refused": False, "error": ""}
