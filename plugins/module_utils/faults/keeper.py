# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""The record of an active fault, and the timer that undoes it.

The timer is a transient unit of the node's own systemd: it needs neither the controller nor this module. Record and
script are in /run, so that a reboot, which undoes most faults, forgets them as well.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from ..command import run_full

DIRECTORY = Path("/run/holdfast-fault")
# The default accuracy of systemd timers is one minute (systemd.timer(5), AccuracySec).
TIMER_ACCURACY = "AccuracySec=100ms"


class Keeper:
    """Record, script and timer of one fault."""

    def __init__(self, fault_id, directory=DIRECTORY, run=run_full):
        self.unit = f"holdfast-fault-{fault_id}"
        self.record = directory / f"{fault_id}.json"
        self.script = directory / f"{fault_id}.sh"
        self.run = run

    def read(self):
        """The record, or None where the fault is not active (any more)."""
        try:
            return json.loads(self.record.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None

    def write(self, record, heal_commands, ttl_seconds):
        """Make the undoing certain, before the fault is injected."""
        self.record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.script.write_text(build_script(heal_commands, [self.record, self.script]), encoding="utf-8")
        self.record.write_text(json.dumps(record), encoding="utf-8")
        self.run(build_timer_command(self.unit, self.script, ttl_seconds))

    def update(self, record):
        """A newer record of the same fault."""
        self.record.write_text(json.dumps(record), encoding="utf-8")

    def heal(self, heal_commands):
        """Undo it now and stop the timer. May run twice, and without a fault."""
        for command in heal_commands:
            self.run(command, expected=range(-64, 256))
        for path in (self.record, self.script):
            path.unlink(missing_ok=True)
        self.run(["systemctl", "stop", f"{self.unit}.timer"], expected=range(256))
        self.run(["systemctl", "reset-failed", f"{self.unit}.timer", f"{self.unit}.service"], expected=range(256))


def build_script(commands, remove):
    """A shell script that runs every command whatever became of the one before, then removes its own files."""
    lines = [shlex.join(str(word) for word in command) + " || true" for command in commands]
    return "\n".join(["#!/bin/sh", *lines, shlex.join(["rm", "-f", *map(str, remove)]), ""])


def build_timer_command(unit, script, ttl_seconds):
    """A transient timer that starts the script once, I(ttl_seconds) from now."""
    return [
        "systemd-run",
        "--quiet",
        "--collect",
        f"--unit={unit}",
        f"--on-active={ttl_seconds:g}s",
        f"--timer-property={TIMER_ACCURACY}",
        "/bin/sh",
        str(script),
    ]
