# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Restart the agent of a node while its packages keep serving.

An agent that is told to end, on a node that stays up, detaches what it serves: the lock LUN tells the other nodes to stand
off, the reservation and the database stay as they are. The next agent attaches it again. This waits until it has.
"""

from __future__ import annotations

from .command import run
from .package_control import CONTROL, read_status
from .resource import Action, Resource, wait_until

UNIT = "holdfast-agent.service"
#: An agent that starts reads every LUN once before it says that it owns something.
_SERVING_SECONDS = 60


class AgentRestart(Resource):
    """One restart; nothing where no agent answers."""

    def __init__(self):
        self._served = None

    def read(self):
        """The packages that this node serves; None where no agent answers."""
        return {"served": read_served()}

    def plan(self, before):
        """Always restart once."""
        if before["served"] is None or self._served is not None:
            return []
        return [Action("restart", UNIT, {"serving": before["served"]})]

    def apply(self, action):
        """Restart, then wait until everything that was served is served again."""
        self._served = action.detail["serving"]
        run(["systemctl", "daemon-reload"])
        run(["systemctl", "restart", UNIT])
        wait_until(self._serves_again, _SERVING_SECONDS)

    def _serves_again(self):
        served = read_served()
        missing = [name for name in self._served if name not in (served or [])]
        return served is not None and not missing, f"not yet owned and attached: {', '.join(missing) or 'no agent answers'}"

    def expect(self, before):
        """The same packages, served by the new agent."""
        return before


def read_served():
    """Names of the packages that this node owns and watches; None where no agent answers."""
    status = read_status(CONTROL)
    if status is None:
        return None
    owned = (name for name, package in status["packages"].items() if package["state"] == "owner")
    return sorted(owned)
