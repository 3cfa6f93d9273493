"""One drill at a time per cluster, and what tells two clusters apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.drill.errors import Refused
from holdfast.drill.lock import cluster_lock
from holdfast.drill.view import build_view
from tests.unit.drill.site_view import NODE, PACKAGE, inventory, view


def test_a_second_drill_on_the_same_cluster_is_refused_whatever_its_package(tmp_path: Path) -> None:
    other = build_view(inventory(), NODE, {**PACKAGE, "name": "crm", "nodes": ["node2"]}, "e" * 64)
    second = cluster_lock(tmp_path, other, "switchover")
    with cluster_lock(tmp_path, view(), "owner_crash"), pytest.raises(Refused, match=r"cluster lab: .*owner_crash"), second:
        pass


def test_two_labs_do_not_block_each_other(tmp_path: Path) -> None:
    """They share the inventory, and with it every name and address; only the lab differs."""
    with cluster_lock(tmp_path, view(lab_name="lab"), "owner_crash"), cluster_lock(tmp_path, view(lab_name="erp"), "switchover"):
        pass


def test_two_sites_of_one_name_do_not_block_each_other(tmp_path: Path) -> None:
    there = {**NODE, "nodes": {name: {**node, "addresses": {"heartbeat": f"10.30.3.{node['id']}"}}
                               for name, node in NODE["nodes"].items()}}  # fmt: skip
    with cluster_lock(tmp_path, view(), "owner_crash"), cluster_lock(tmp_path, build_view(inventory(), there, PACKAGE, ""), "x"):
        pass


def test_the_lock_is_free_again_after_the_drill(tmp_path: Path) -> None:
    for _ in range(2):
        with cluster_lock(tmp_path, replace(view(), production=True), "owner_crash"):
            pass
