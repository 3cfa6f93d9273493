# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""The one way a writing module of this collection works.

Reading, deciding and doing are three methods of a resource: C(read) talks to the system, C(plan) is pure and returns the
actions that lead from the state read to the wanted one, C(apply) carries out one action. L(sync) strings them together,
handles check mode once, and reads again: a module never reports a change it did not see happen.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from .errors import ConvergenceError, HoldfastError, WaitTimeoutError


@dataclass(frozen=True)
class Action:
    """One step: what is done (I(verb)), to what (I(subject)), with what (I(detail), never shown when I(secret))."""

    verb: str
    subject: str
    detail: dict = field(default_factory=dict)
    secret: bool = False

    def describe(self):
        """One line for people; the same line for the same step."""
        if self.secret or not self.detail:
            return f"{self.verb} {self.subject}"
        shown = ", ".join(f"{key}={value}" for key, value in sorted(self.detail.items()))
        return f"{self.verb} {self.subject} ({shown})"


class Resource(ABC):
    """What L(sync) needs. Subclasses implement C(read), C(plan), C(apply) and C(expect)."""

    @abstractmethod
    def read(self):
        """The present state."""

    @abstractmethod
    def plan(self, before):
        """Pure: the actions that lead from I(before) to the wanted state, in order."""

    @abstractmethod
    def apply(self, action):
        """Carry out one action."""

    @abstractmethod
    def expect(self, before):
        """Pure: the state after the plan, shown by check mode."""

    def finish(self):  # noqa: B027 (a hook: most have nothing to do)
        """Make the applied actions last (write a saved configuration). Called once after the last action."""

    def public(self, state):
        """The state without secrets."""
        return state


def sync(resource, check_mode=False):
    """Bring I(resource) to its wanted state.

    Returns the keys every module hands to C(exit_json): changed, actions, diff and state.
    Raises L(ConvergenceError) where the state read back still asks for actions.
    """
    before = resource.read()
    actions = resource.plan(before)
    after = before
    if actions and check_mode:
        after = resource.expect(before)
    elif actions:
        for action in actions:
            resource.apply(action)
        resource.finish()
        after = resource.read()
        left = resource.plan(after)
        if left:
            raise ConvergenceError(
                "the state read back still differs from the wanted one: " + "; ".join(a.describe() for a in left),
                left=[a.describe() for a in left],
            )
    return {
        "changed": bool(actions),
        "actions": [action.describe() for action in actions],
        "diff": {"before": resource.public(before), "after": resource.public(after)},
        "state": resource.public(after),
    }


def sync_parts(parts, check_mode=False):
    """L(sync) several resources one after the other in one go: a round trip to a node costs more than most parts.

    I(parts) is a dictionary; diff and state come back by its keys. A part that fails leaves the later ones untouched.
    """
    return join_results({name: sync(part, check_mode) for name, part in parts.items()})


def join_results(results):
    """The results of several L(sync), by name, as one of the same shape."""
    return {
        "changed": any(result["changed"] for result in results.values()),
        "actions": [action for result in results.values() for action in result["actions"]],
        "diff": {side: {name: result["diff"][side] for name, result in results.items()} for side in ("before", "after")},
        "state": {name: result["state"] for name, result in results.items()},
    }


def run_module(module, result_name, build_resource):
    """The body of every writing module: build, sync, exit; one place that prints errors.

    I(build_resource) gets the module's parameters and whether this is check mode, and returns the resource, or a
    dictionary of them; the state comes back as I(result_name).
    """
    try:
        wanted = build_resource(module.params, module.check_mode)
        result = (sync_parts if isinstance(wanted, dict) else sync)(wanted, module.check_mode)
    except HoldfastError as error:
        module.fail_json(**error.as_result())
    result[result_name] = result.pop("state")
    module.exit_json(**result)


def run_info_module(module, result_name, read):
    """The body of every reading module: the same shape as its writing sister returns."""
    try:
        state = read(module.params)
    except HoldfastError as error:
        module.fail_json(**error.as_result())
    module.exit_json(changed=False, **{result_name: state})


def wait_until(question, timeout_seconds, interval_seconds=0.2, clock=time.monotonic, sleep=time.sleep):
    """The one wait of the modules: ask I(question) until it answers C((True, value)).

    I(question) returns C((done, value_or_reason)). Raises L(WaitTimeoutError) with the last reason.
    """
    end = clock() + timeout_seconds
    while True:
        done, value = question()
        if done:
            return value
        if clock() >= end:
            raise WaitTimeoutError(f"not within {timeout_seconds} s: {value}", last=str(value))
        sleep(interval_seconds)
