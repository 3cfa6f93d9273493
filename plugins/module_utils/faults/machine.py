# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole node goes away. The module answers first; a child of its own does it a moment later."""

from __future__ import annotations

import os
import time
from abc import abstractmethod
from pathlib import Path

from ..command import run
from .base import Fault

# Long enough for the module's answer to reach the controller on a busy lab host, short enough not to bore anybody.
DELAY_SECONDS = 1.0
SYSRQ = Path("/proc/sysrq-trigger")


class LeavingFault(Fault):
    """Common to all faults after which the node is gone: only others can prove it, and nobody can undo it here."""

    def inject(self):
        """Start a child that outlives this connection; returns when it is going to happen (wall clock)."""
        moment = time.time() + DELAY_SECONDS
        if os.fork() == 0:
            os.setsid()
            null = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(null, descriptor)
            time.sleep(max(0.0, moment - time.time()))
            self.leave()
            os._exit(0)
        self.memory["injected"] = moment

    @abstractmethod
    def leave(self):
        """Does it."""

    def prove(self):
        """Whoever is gone cannot say so."""
        return None, "to be seen from outside"

    def heal_commands(self):
        """Nothing to be done on a node that is gone."""
        return []


class NodeCrash(LeavingFault):
    """sysrq b: restart without syncing or unmounting (Documentation/admin-guide/sysrq.rst)."""

    def leave(self):
        SYSRQ.write_text("b")


class NodePanic(LeavingFault):
    """sysrq c: a crash of the kernel by a null pointer."""

    def leave(self):
        SYSRQ.write_text("c")


class NodeReboot(LeavingFault):
    """What an administrator does."""

    def leave(self):
        run(["systemctl", "reboot"])


class NodeShutdown(LeavingFault):
    """What an administrator does, without coming back."""

    def leave(self):
        run(["systemctl", "poweroff"])
