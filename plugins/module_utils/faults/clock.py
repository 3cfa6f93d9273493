# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""The wall clock jumps; the monotonic clock tells by how much, and brings it back."""

from __future__ import annotations

import sys
import time

from .base import Fault

# Between two readings of two clocks in one process there is no more than a scheduling delay.
TOLERANCE_SECONDS = 2.0


def difference():
    """Wall clock minus time since boot: constant as long as nobody sets the clock."""
    return time.clock_gettime(time.CLOCK_REALTIME) - time.clock_gettime(time.CLOCK_BOOTTIME)


class ClockJump(Fault):
    """CLOCK_REALTIME is set."""

    required = ("seconds",)

    def remember(self):
        return {"difference": difference()}

    def inject(self):
        time.clock_settime(time.CLOCK_REALTIME, time.time() + self.parameters["seconds"])

    def prove(self):
        jump = difference() - self.memory["difference"]
        return abs(jump - self.parameters["seconds"]) < TOLERANCE_SECONDS, f"the clock is off by {jump:.1f} s"

    def heal_commands(self):
        if "difference" not in self.memory:
            return []
        code = (
            "import time; time.clock_settime(time.CLOCK_REALTIME, "
            f"{self.memory['difference']!r} + time.clock_gettime(time.CLOCK_BOOTTIME))"
        )
        return [[sys.executable or "/usr/bin/python3", "-c", code]]
