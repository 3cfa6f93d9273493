"""Nodes with different versions of a database are refused, whichever of them have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.playbooks.conftest import HOSTS, Site

PLAY = """
- hosts: cluster_nodes
  gather_facts: true
  any_errors_fatal: true
  roles:
    - role: holdfast.cluster.{database}_service
      vars:
        {database}_service_databases: "{{{{ [] if inventory_hostname == 'node1' else databases }}}}"
  vars:
    databases: [{{package: erp, version: "{version}", port: 5432, data_directory: /srv/erp/data, mount_point: /srv/erp}}]
"""


@pytest.mark.parametrize(("database", "version", "package"), [("postgresql", "17", "postgresql-17"),
                                                              ("mariadb", "11.8", "mariadb-server")])
@pytest.mark.parametrize(("other", "code"), [("1", 0), ("2", 2)])
def test_versions(database: str, version: str, package: str, other: str, code: int, tmp_path: Path) -> None:
    site = Site(tmp_path / "state", {**HOSTS, "node3": ("node", 13)})
    play = tmp_path / "play.yml"
    play.write_text(PLAY.format(database=database, version=version))
    answers = {f"site_packages {node}": {"packages": {package: number}} for node, number in (("node2", "1"), ("node3", other))}
    run = site.run(play, answers=answers)
    assert run.code == code, run.output
    assert ("different versions of " + package in run.output) == bool(code)
