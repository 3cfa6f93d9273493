"""What holds for a whole package, whatever its resources are."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_agent.config import PackageDefinition, Resource
from holdfast_agent.errors import ResourceError, UnitError
from holdfast_agent.resources import kinds
from holdfast_agent.resources.control_group import ControlGroup
from holdfast_agent.storage.targets import LunName

PACKAGE = PackageDefinition(
    name="erp", nodes=("node1", "node2"), failback="manual", auto_start=True, addresses=(), lock_lun=LunName("lock", "1"),
    luns=(), volume_group="vg", file_systems=(), resources=(
        Resource("erp", "db", "postgresql", {}), Resource("erp", "app.service", "systemd", {"unit": "app.service"}),
    ),
)  # fmt: skip


def build_group(base: Path, resource: str, processes: str = "") -> ControlGroup:
    group = ControlGroup("erp", resource, base)
    group.create()
    (group.path / "cgroup.kill").write_text("")
    (group.path / "cgroup.procs").write_text(processes)
    return group


def was_killed(group: ControlGroup) -> bool:
    return (group.path / "cgroup.kill").read_text() == "1"


def test_databases_are_killed_before_systemd_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """systemd may hang until the whole attempt is over; then nothing of the package would have been killed."""
    groups = tuple(build_group(tmp_path, name) for name in ("db", "other"))
    seen: list[bool] = []
    monkeypatch.setattr(kinds, "package_groups", lambda package: groups)
    monkeypatch.setattr(kinds.systemd_unit, "kill", lambda resource: seen.append(all(was_killed(group) for group in groups)))
    kinds.kill_package(PACKAGE, 0.0)
    assert seen == [True]


def test_everything_is_tried_before_what_stays_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = build_group(tmp_path, "db", "4711\n"), build_group(tmp_path, "other")

    def refuse(resource: Resource) -> None:
        raise UnitError("systemd does not answer")

    monkeypatch.setattr(kinds, "package_groups", lambda package: groups)
    monkeypatch.setattr(kinds.systemd_unit, "kill", refuse)
    with pytest.raises(ResourceError, match=r"systemd does not answer; processes of erp\.db do not die: \(4711"):
        kinds.kill_package(PACKAGE, 0.0)
    assert all(was_killed(group) for group in groups)
