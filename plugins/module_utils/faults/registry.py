# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""All kinds of fault that the module can inject, by name."""

from __future__ import annotations

from ..errors import HoldfastError
from .clock import ClockJump
from .machine import NodeCrash, NodePanic, NodeReboot, NodeShutdown
from .network import NetworkDelay, NetworkDrop, NetworkFlap, NetworkLoss, StorageDrop
from .process import DatabaseBroken, ProcessKill, ProcessStop
from .reservation import KeysCleared, StrangerKey
from .storage import DiskFull, StorageHang, StorageSlow, WriteError

KINDS = {
    "node_crash": NodeCrash,
    "node_panic": NodePanic,
    "node_reboot": NodeReboot,
    "node_shutdown": NodeShutdown,
    "process_kill": ProcessKill,
    "process_stop": ProcessStop,
    "database_broken": DatabaseBroken,
    "network_drop": NetworkDrop,
    "network_loss": NetworkLoss,
    "network_delay": NetworkDelay,
    "network_flap": NetworkFlap,
    "path_cut": StorageDrop,
    "all_paths_cut": StorageDrop,
    "storage_slow": StorageSlow,
    "storage_hang": StorageHang,
    "write_error": WriteError,
    "disk_full": DiskFull,
    "clock_jump": ClockJump,
    "keys_cleared": KeysCleared,
    "stranger_key": StrangerKey,
}


def build_fault(kind, context):
    """The fault of that kind; raises L(HoldfastError) for a kind or parameters that do not exist."""
    if kind not in KINDS:
        raise HoldfastError(f"no fault of kind {kind!r}; there are {', '.join(KINDS)}")
    return KINDS[kind](context)
