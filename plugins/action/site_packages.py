# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Ask a host once about its packages: what one task of a run has seen or ensured, a later one need not ask for again.

Every role names its own packages, and the playbooks install those of all roles in one go beforehand. What was installed
before the run is known where M(holdfast.cluster.system_facts) has asked.
"""

from __future__ import annotations

import os
from typing import Any

from ansible.plugins.action import ActionBase

FACT = "holdfast_ensured_packages"


class ActionModule(ActionBase):
    """Calls the module of the same name where a package was not yet ensured."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        known = ensured(task_vars or {}, this_run())
        names = self._task.args.get("names")
        if isinstance(names, list) and set(names) <= set(known):
            return {**result, "changed": False, "actions": [], "packages": {name: known[name] for name in names}}
        result.update(self._execute_module("holdfast.cluster.site_packages", task_vars=task_vars))
        if not result.get("failed") and not (self._task.check_mode and result.get("changed")):
            result["ansible_facts"] = {FACT: {"run": this_run(), "packages": {**known, **result.get("packages", {})}}}
        return result


def this_run() -> int:
    """The ansible-playbook process, whose worker this is: facts may be kept from run to run, and hosts change in between."""
    return os.getppid()


def ensured(task_vars: dict[str, Any], run: int) -> dict[str, str]:
    """Version by name of what was seen or ensured in this run."""
    fact = (task_vars.get("ansible_facts") or {}).get(FACT) or {}
    return dict(fact["packages"]) if fact.get("run") == run else {}
