"""One drill at a time per cluster, and what tells two clusters apart."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.drill.errors import DrillError, Refused
from holdfast.drill.lock import HOLDER, cluster_lock, host_lock
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


class Here:
    """A shell whose hosts are this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def command(self, host: str, argv: Sequence[str]) -> list[str]:
        return [sys.executable, *argv[1:3], str(self.folder / "lock"), *argv[4:]]


def test_another_controller_is_refused_with_the_name_of_the_one_who_drills(tmp_path: Path) -> None:
    shell, second = Here(tmp_path), host_lock(Here(tmp_path), view(), "switchover")  # type: ignore[arg-type]
    with host_lock(shell, view(), "owner_crash"), pytest.raises(Refused, match=r'cluster lab: .*"owner_crash".*"controller"'):  # type: ignore[arg-type]
        second.__enter__()


def test_the_lock_on_the_client_is_free_again_after_the_drill(tmp_path: Path) -> None:
    for words in ("owner_crash", "switchover"):
        with host_lock(Here(tmp_path), view(), words):  # type: ignore[arg-type]
            pass


@pytest.mark.parametrize("end", ["silence", "closed"])
def test_a_controller_that_is_gone_holds_nobody_up(tmp_path: Path, end: str) -> None:
    """Its connection is closed, or it is there and nothing comes over it any more."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "lock"), "gone", "0.2" if end == "silence" else "60"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as gone:
        assert gone.stdout is not None and gone.stdin is not None
        assert gone.stdout.readline() == "held\n"
        if end == "closed":
            gone.stdin.close()
        assert gone.wait(timeout=30) == 0
    with host_lock(Here(tmp_path), view(), "switchover"):  # type: ignore[arg-type]
        pass


def test_a_client_host_that_does_not_answer_is_said_in_words(tmp_path: Path) -> None:
    shell = Here(tmp_path)
    shell.command = lambda host, argv: ["sh", "-c", "echo no route to host >&2; exit 255"]  # type: ignore[method-assign]
    with pytest.raises(DrillError, match="client1: no lock: no route to host"), host_lock(shell, view(), "x"):  # type: ignore[arg-type]
        pass
