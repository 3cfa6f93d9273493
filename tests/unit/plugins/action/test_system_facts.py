"""What a host has installed is known to the rest of the run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.plugins.action import ActionBase
from ansible_collections.holdfast.cluster.plugins.action import site_packages, system_facts


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with lvm2; its package module is not to be called."""
    said = {"ansible_facts": {"distribution": "Debian"}, "packages": {"lvm2": "2.03"}, "changed": False}
    monkeypatch.setattr(ActionBase, "run", lambda self, tmp=None, task_vars=None: {})
    monkeypatch.setattr(system_facts.ActionModule, "_execute_module", lambda *_, **__: dict(said))

    def refuse(*_: Any, **__: Any) -> dict[str, Any]:
        raise AssertionError("asked again")

    monkeypatch.setattr(site_packages.ActionModule, "_execute_module", refuse)


def build(action: type[ActionBase], **arguments: Any) -> Any:
    made = action.__new__(action)
    made._task = SimpleNamespace(args=arguments, check_mode=False)
    return made


def test_packages_that_were_seen_are_not_asked_for_again() -> None:
    result = build(system_facts.ActionModule).run(task_vars={})
    assert "packages" not in result
    task_vars = {"ansible_facts": result["ansible_facts"]}
    asked = build(site_packages.ActionModule, names=["lvm2"]).run(task_vars=task_vars)
    assert asked["packages"] == {"lvm2": "2.03"}
    with pytest.raises(AssertionError, match="asked again"):
        build(site_packages.ActionModule, names=["lvm2", "keepalived"]).run(task_vars=task_vars)
