# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Restart the agent of a node while its packages keep serving.

Every package that the node serves is detached first: the lock LUN then tells the other nodes to stand off, the
reservation and the database stay as they are. It is attached again to the new agent. A package stays detached, and says
so, where the new agent does not take it; it serves on, and a person looks.
"""

from __future__ import annotations

from .command import run
from .package_control import CONTROL, PackageResource, read_status
from .resource import Action, Resource, sync, wait_until

UNIT = "holdfast-agent.service"
_ANSWER_SECONDS = 30


class AgentRestart(Resource):
    """One restart; nothing where no agent runs."""

    def __init__(self):
        self._is_done = False

    def read(self):
        """The packages that this node serves; None where no agent answers."""
        status = read_status(CONTROL)
        if status is None:
            return {"served": None}
        return {"served": sorted(name for name, package in status["packages"].items() if package["owner"] == status["node"])}

    def plan(self, before):
        """Detach, restart, attach."""
        if before["served"] is None or self._is_done:
            return []
        names = before["served"]
        detach = [Action("detach", name) for name in names]
        return [*detach, Action("restart", UNIT), *[Action("attach", name) for name in names]]

    def apply(self, action):
        """Carry out one action."""
        if action.verb == "restart":
            run(["systemctl", "daemon-reload"])
            run(["systemctl", "restart", UNIT])
            wait_until(self._agent_answers, _ANSWER_SECONDS)
            self._is_done = True
        else:
            sync(PackageResource(action.subject, f"{action.verb}ed", timeout_seconds=_ANSWER_SECONDS))

    @staticmethod
    def _agent_answers():
        return read_status(CONTROL) is not None, "the new agent does not answer"

    def expect(self, before):
        """The same packages, served by the new agent."""
        return before
