"""The agent's code and the files that go with it, in one call that tells which of them changed."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.holdfast.cluster.plugins.action.package_agent import build_archive
from ansible_collections.holdfast.cluster.plugins.module_utils import agent_installation, file_set
from ansible_collections.holdfast.cluster.plugins.modules import package_agent
from ansible_collections.holdfast.cluster.plugins.modules.package_agent import sync_agent


@pytest.fixture(autouse=True)
def nobody_need_be_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that are to be root's are those of whoever tests."""
    monkeypatch.setattr(file_set, "_name_of", lambda *_: "root")
    ids = {("root", "root"): (os.getuid(), os.getgid())}
    monkeypatch.setattr(file_set, "_ids", lambda entry: ids[entry["owner"], entry["group"]])


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_installation, "run", lambda *_arguments, **_options: "")


@pytest.fixture
def reloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What systemctl was told; the test's folder stands for the one of unit files."""
    seen: list[list[str]] = []
    monkeypatch.setattr(package_agent, "UNIT_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(package_agent, "run", seen.append)
    return seen


def parameters(folder: Path, code: str, unit: str) -> dict[str, Any]:
    (folder / "source").mkdir(exist_ok=True)
    (folder / "source" / "agent.py").write_text(code)
    archive = build_archive(folder / "source")
    return {
        "path": str(folder / "agent"),
        "archive": base64.b64encode(archive).decode(),
        "digest": hashlib.sha256(archive).hexdigest(),
        "files": [{"path": str(folder / "agent.service"), "content": unit, "mode": "0644"}],
    }


def test_what_changed_is_told_by_path(tmp_path: Path, reloads: list[list[str]]) -> None:
    code, unit = str(tmp_path / "agent"), str(tmp_path / "agent.service")
    assert sync_agent(parameters(tmp_path, "one = 1\n", "[Unit]\n"), check_mode=True)["changed_paths"] == [code, unit]
    assert not (tmp_path / "agent").exists()
    assert sync_agent(parameters(tmp_path, "one = 1\n", "[Unit]\n"), check_mode=False)["changed_paths"] == [code, unit]
    assert sync_agent(parameters(tmp_path, "one = 1\n", "[Unit]\n"), check_mode=False)["changed_paths"] == []
    assert sync_agent(parameters(tmp_path, "one = 1\n", "[Service]\n"), check_mode=False)["changed_paths"] == [unit]
    assert sync_agent(parameters(tmp_path, "one = 2\n", "[Service]\n"), check_mode=False)["changed_paths"] == [code]
    assert reloads == [["systemctl", "daemon-reload"]] * 2
    assert (tmp_path / "agent" / "agent.py").read_text() == "one = 2\n"
