"""Packages that were ensured in this run of ansible-playbook are not asked for again; those of another run are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.plugins.action import ActionBase
from ansible_collections.holdfast.cluster.plugins.action.site_packages import FACT, ActionModule, ensured, this_run


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Calls of the module on the host, which finds everything installed."""
    calls: list[dict[str, Any]] = []

    def execute(self: ActionModule, name: str, task_vars: dict[str, Any]) -> dict[str, Any]:
        calls.append(self._task.args)
        return {"changed": False, "packages": dict.fromkeys(self._task.args["names"], "1.0"), "actions": []}

    monkeypatch.setattr(ActionModule, "_execute_module", execute)
    monkeypatch.setattr(ActionBase, "run", lambda self, tmp=None, task_vars=None: {})
    return calls


def run(names: list[str], facts: dict[str, Any], check_mode: bool = False) -> dict[str, Any]:
    action = ActionModule.__new__(ActionModule)
    action._task = SimpleNamespace(args={"names": names}, check_mode=check_mode)
    return action.run(task_vars={"ansible_facts": facts})


def test_what_was_ensured_is_not_asked_for_again(asked: list[dict[str, Any]]) -> None:
    facts = run(["lvm2", "xfsprogs"], {})["ansible_facts"]
    again = run(["xfsprogs"], facts)
    assert len(asked) == 1
    assert again == {"changed": False, "actions": [], "packages": {"xfsprogs": "1.0"}}


def test_what_was_not_is(asked: list[dict[str, Any]]) -> None:
    facts = run(["lvm2"], {})["ansible_facts"]
    more = run(["lvm2", "keepalived"], facts)["ansible_facts"]
    assert len(asked) == 2
    assert set(ensured({"ansible_facts": more}, this_run())) == {"lvm2", "keepalived"}


def test_facts_of_an_earlier_run_do_not_count(asked: list[dict[str, Any]]) -> None:
    facts = {FACT: {"run": this_run() + 1, "packages": {"lvm2": "1.0"}}}
    run(["lvm2"], facts)
    assert len(asked) == 1


def test_what_check_mode_would_install_is_not_there(asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    would = {"changed": True, "packages": {"lvm2": "to be installed"}}
    monkeypatch.setattr(ActionModule, "_execute_module", lambda *_, **__: would)
    assert "ansible_facts" not in run(["lvm2"], {}, check_mode=True)
