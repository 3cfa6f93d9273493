# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Keep what a host has installed, so that M(holdfast.cluster.site_packages) need not ask for it in this run."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from .site_packages import FACT, this_run


class ActionModule(ActionBase):
    """Adds the installed packages to the facts, with the run that saw them."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        result.update(self._execute_module("holdfast.cluster.system_facts", task_vars=task_vars))
        if not result.get("failed") and "packages" in result:
            result["ansible_facts"][FACT] = {"run": this_run(), "packages": result.pop("packages")}
        result["_ansible_verbose_override"] = True
        return result
