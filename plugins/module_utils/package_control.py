# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Packages as the agent of this node sees them, and the commands that change them.

Everything goes through C(holdfastctl --json), which speaks to the agent's socket; the module never touches storage,
addresses or databases itself.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from .command import run_full
from .errors import HoldfastError, ParseError, RefusedError
from .resource import Action, Resource, wait_until

CONTROL = "/usr/sbin/holdfastctl"
PACKAGE_DIRECTORY = "/etc/holdfast/packages"
STATUS_SCHEMA = 1
#: States in which a package serves nobody and moves by no one but a person.
_DOWN = ("stopped", "failed", "standby")


def parse_status(text):
    """The agent's status document; raises ParseError where it is not one of this schema."""
    try:
        status = json.loads(text)
    except ValueError as error:
        raise ParseError("holdfastctl did not answer with JSON", output=text[:500]) from error
    if not isinstance(status, dict) or status.get("schema") != STATUS_SCHEMA or "packages" not in status:
        raise ParseError(f"the agent's status is not of schema {STATUS_SCHEMA}", output=text[:500])
    return status


def read_status(control=CONTROL):
    """Status of this node's agent, or None where none runs: exit code 1 with an empty answer."""
    if not Path(control).exists():
        return None
    done = run_full([control, "status", "--json"], expected=(0, 1, 2))
    # An empty answer with exit code 0 is a broken agent, and no answer either.
    return parse_status(done.stdout) if done.returncode == 0 and done.stdout.strip() else None


def read_packages(status, directory=PACKAGE_DIRECTORY):
    """Every package of this node: its document as written, the digest of that, and what the agent observed."""
    packages = {}
    for path in sorted(Path(directory).glob("*.json")):
        text = path.read_text(encoding="utf-8")
        observed = (status or {}).get("packages", {}).get(path.stem)
        digest = hashlib.sha256(text.encode()).hexdigest()
        packages[path.stem] = {**json.loads(text), "digest": digest, "observed": observed}
    return packages


class PackageResource(Resource):
    """One package brought to a wanted state by the agent of this node."""

    def __init__(
        self, name, state, node=None, timeout_seconds=120, control=CONTROL, up_to=None, without_poolers=False,
        longest_transaction_seconds=None, wait_seconds=0,
    ):  # fmt: skip
        self.name = name
        self.wanted = state
        self.node = node
        self.timeout_seconds = timeout_seconds
        self.without_poolers = without_poolers
        self.longest_transaction_seconds = longest_transaction_seconds
        self.wait_seconds = wait_seconds
        self.control = control
        self.up_to = up_to

    def read(self):
        """What the agent of this node knows of the package, and before a move from here how that would go."""
        state = self._observe()
        if self.wanted == "moved" and state["owner"] == state["node"] != self.node:
            return {**state, "preview": self._preview()}
        return state

    def _preview(self):
        """The agent's preview of the move, None from an agent that has none yet (exit code 2)."""
        argv = [self.control, "move", self.name, self.node, "--preview", *self._move_options(), "--json"]
        done = run_full(argv, expected=(0, 1, 2))
        answer = json.loads(done.stdout) if done.returncode != 2 and done.stdout.strip() else {}
        return {**answer["preview"], "refusal": None if answer["ok"] else answer["reason"]} if "preview" in answer else None

    def _observe(self):
        status = read_status(self.control)
        if status is None:
            raise HoldfastError("no agent answers on this node; start holdfast-agent.service first")
        if self.name not in status["packages"]:
            raise HoldfastError(f"the agent of this node has no package {self.name}; is it in the package's nodes?")
        return {**status["packages"][self.name], "node": status["node"]}

    def plan(self, before):
        """At most one command: what leads from the observed state to the wanted one."""
        command = plan_command(before, self.wanted, self.node)
        if command is None:
            return []
        refusal = (before.get("preview") or {}).get("refusal")
        if command == "move" and refusal:
            raise RefusedError(f"{self.name} would not move to {self.node}: {refusal}", state=before)
        detail = {"move": {"node": self.node}, "start": {"up_to": self.up_to} if self.up_to else {}}.get(command, {})
        return [Action(command, self.name, detail)]

    def apply(self, action):
        """Give the command, then wait until the agent has reached the wanted state."""
        done = run_full(self._argv(action), expected=(0, 1), timeout_seconds=self.timeout_seconds + self.wait_seconds)
        if done.returncode != 0:
            raise RefusedError(f"{action.describe()}: {_reason(done)}", stdout=done.stdout, stderr=done.stderr)
        wait_until(self._is_reached, self.timeout_seconds)

    def _argv(self, action):
        verb = action.verb.split(" ")
        target = [action.detail["node"]] if action.detail.get("node") else []
        options = ["--up-to", action.detail["up_to"]] if action.detail.get("up_to") else []
        options += self._move_options() if action.verb == "move" else []
        return [self.control, *verb[:1], self.name, *verb[1:], *target, *options, "--json"]

    def _move_options(self):
        options = ["--without-poolers"] if self.without_poolers else []
        if self.longest_transaction_seconds is not None:
            options += ["--longest-transaction", f"{self.longest_transaction_seconds:g}", "--wait", f"{self.wait_seconds:g}"]
        return options

    def _is_reached(self):
        state = self._observe()
        if state["state"] == "failed" and self.wanted in ("started", "moved"):
            raise RefusedError(f"{self.name} failed: {state['reason']}", state=state)
        return plan_command(state, self.wanted, self.node) is None, f"{state['state']} ({state['reason']})"

    def expect(self, before):
        """The state that the command leads to."""
        owner = {"started": before["owner"] or before["node"], "moved": self.node, "stopped": None}
        return {**before, "owner": owner.get(self.wanted, before["owner"])}


def plan_command(observed, wanted, node=None):
    """Verb of holdfastctl that leads to the wanted state, or None where it is reached.

    Truth table in tests/unit/plugins/test_package_control.py.
    """
    state, owner = observed["state"], observed["owner"]
    is_maintained = state == "maintenance"
    table = {
        "started": "start" if owner is None else None,
        "stopped": "stop" if owner is not None or state not in _DOWN else None,
        "moved": "move" if owner != node else None,
        "maintenance": "maintenance on" if not is_maintained else None,
        "in_service": "maintenance off" if is_maintained else None,
        "detached": "detach" if observed.get("attached", True) else None,
        "attached": "attach" if not observed.get("attached", True) else None,
        "rejoined": "rejoin" if state == "ejected" else None,
        "failures_forgotten": "forget-failures" if observed.get("failures") else None,
    }
    return table[wanted]


def _reason(done):
    """The agent's own words: the key `reason` of its answer, else the last line that was printed."""
    try:
        return json.loads(done.stdout)["reason"]
    except (ValueError, KeyError, TypeError):
        lines = (done.stderr or done.stdout).strip().splitlines()
        return lines[-1] if lines else f"exit code {done.returncode}"
