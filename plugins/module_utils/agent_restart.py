# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Restart the agent of a node while its packages keep serving.

An agent that is told to end, on a node that stays up, detaches what it serves: the lock LUN tells the other nodes to stand
off, the reservation and the database stay as they are. The next agent attaches it again. This waits until it has.
"""

from __future__ import annotations

import time
from pathlib import Path

from .command import run
from .package_control import CONTROL, read_status
from .resource import Action, Resource, wait_until

UNIT = "holdfast-agent.service"
#: What an agent reads once, at its start: its code (the link is replaced at a change) and its definitions.
INPUTS = ("usr/lib/holdfast/agent", "etc/holdfast/node.json", "etc/holdfast/packages/*.json", "etc/holdfast/cluster.key")
#: An agent that starts reads every LUN once before it says that it owns something.
_SERVING_SECONDS = 60


class AgentRestart(Resource):
    """At most one restart: when it is I(wanted), or when the agent is older than what it should have read."""

    def __init__(self, wanted):
        self.wanted = wanted
        self._served = None

    def read(self):
        """The packages that this node serves, and whether the agent is stale; None where no agent answers."""
        status = read_status(CONTROL)
        return {"served": served_packages(status), "stale": is_stale(status)}

    def plan(self, before):
        """Restart once. Staleness finishes what a run that was cut off after writing the files left undone."""
        if before["served"] is None or self._served is not None or not (self.wanted or before["stale"]):
            return []
        return [Action("restart", UNIT, {"serving": before["served"]})]

    def apply(self, action):
        """Restart, then wait until everything that was served is served again."""
        self._served = action.detail["serving"]
        run(["systemctl", "daemon-reload"])
        run(["systemctl", "restart", UNIT])
        wait_until(self._serves_again, _SERVING_SECONDS)

    def _serves_again(self):
        served = served_packages(read_status(CONTROL))
        missing = [name for name in self._served if name not in (served or [])]
        return served is not None and not missing, f"not yet owned and attached: {', '.join(missing) or 'no agent answers'}"

    def expect(self, before):
        """The same packages, served by the new agent."""
        return {**before, "stale": False}


def served_packages(status):
    """Names of the packages that this node owns and watches; None where no agent answers."""
    if status is None:
        return None
    return sorted(name for name, package in status["packages"].items() if package["state"] == "owner")


def is_stale(status):
    """Whether the agent that answered is older than what it should have read; one that does not answer is not."""
    return status is not None and newest_input() > time.time() - status["agent"]["uptime_seconds"]


def newest_input(paths=INPUTS):
    """When the newest of the agent's inputs was put in its place; 0 where there is none."""
    found = [entry for pattern in paths for entry in Path("/").glob(pattern)]
    return max((entry.lstat().st_mtime for entry in found), default=0.0)
