"""What the lab says when this machine lacks something, before it changes anything."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from holdfast.lab import host
from holdfast.lab.command import run
from holdfast.lab.errors import CommandError, HostError, LabError
from holdfast.lab.host import (
    available_memory_mib,
    free_disk_mib,
    install_missing,
    missing_packages,
    namespace_problem,
    require_host,
)
from holdfast.lab.namespaces import isolated
from tests.closed_environment import Tools


@pytest.fixture
def rich_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> set[str]:
    """A host where root has everything; what a test puts into the set is missing."""
    missing: set[str] = set()
    keyring = tmp_path / "keyring.gpg"
    keyring.touch()
    monkeypatch.setattr(host, "KEYRING", keyring)
    monkeypatch.setattr(shutil, "which", lambda tool, path: None if tool in missing else f"/usr/bin/{tool}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(host, "available_memory_mib", lambda: 4096)
    monkeypatch.setattr(host, "free_disk_mib", lambda directory: 100_000)
    return missing


def require(tmp_path: Path, *, building: bool = True, qemu: bool = False, memory_mib: int = 2048) -> list[str]:
    """The problems that are told."""
    try:
        require_host(building=building, qemu=qemu, memory_mib=memory_mib, directory=tmp_path)
    except HostError as error:
        return str(error).splitlines()
    return []


def test_nothing_is_missing(rich_host: set[str], tools: Tools, tmp_path: Path) -> None:
    tools.expect("unshare")
    assert require(tmp_path) == []


def test_missing_tools_give_the_exact_command(rich_host: set[str], tmp_path: Path) -> None:
    rich_host |= {"mmdebstrap", "mkfs.ext4", "ip", "ssh", "ssh-keygen"}
    assert require(tmp_path) == ["tools are missing; get them with: apt-get install --no-install-recommends "
                                 "e2fsprogs iproute2 mmdebstrap openssh-client"]


def test_an_ordinary_user_is_told_sudo_and_uidmap(
        rich_host: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    rich_host |= {"newuidmap"}
    assert require(tmp_path) == ["tools are missing; get them with: sudo apt-get install --no-install-recommends uidmap"]


def test_building_and_qemu_need_more(rich_host: set[str]) -> None:
    rich_host |= {"mmdebstrap", "qemu-img"}
    assert missing_packages(building=False, qemu=False) == []
    assert missing_packages(building=True, qemu=False) == ["mmdebstrap"]
    assert missing_packages(building=False, qemu=True) == ["qemu-utils"]


def test_no_keyring_no_build(rich_host: set[str]) -> None:
    host.KEYRING.unlink()
    assert missing_packages(building=True, qemu=False) == ["debian-archive-keyring"]
    assert missing_packages(building=False, qemu=False) == []


def test_too_little_memory(rich_host: set[str], tools: Tools, tmp_path: Path) -> None:
    tools.expect("unshare")
    assert require(tmp_path, memory_mib=4000) == [
        "the nodes need 4000 MiB of memory and 4096 MiB are available (512 MiB stay reserved); use fewer nodes or less "
        "memory_mib"]


@pytest.mark.parametrize(("building", "free", "enough"), [(False, 1023, False), (False, 1024, True), (True, 5119, False),
                                                          (True, 5120, True)])
def test_too_little_disk(rich_host: set[str], tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                         building: bool, free: int, enough: bool) -> None:
    tools.expect("unshare")
    monkeypatch.setattr(host, "free_disk_mib", lambda directory: free)
    told = require(tmp_path, building=building)
    assert (told == []) is enough
    assert enough or f"{tmp_path} has {free} MiB of free disk" in told[0]


def test_everything_that_is_wrong_is_told_at_once(
        rich_host: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rich_host |= {"unshare"}
    monkeypatch.setattr(host, "free_disk_mib", lambda directory: 0)
    assert [problem.split(" ")[0] for problem in require(tmp_path, memory_mib=9999)] == ["tools", "the", str(tmp_path)]


@pytest.mark.parametrize(("release", "is_old"), [("5.10.0-28-amd64", True), ("6.0.1", True), ("6.1.0-13-amd64", False),
                                                 ("6.18.44-fc", False), ("10.0", False)])
def test_old_kernel(rich_host: set[str], tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                    release: str, is_old: bool) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(release=release))
    tools.expect("unshare")
    told = [f"this machine's kernel is {release} and the lab needs 6.1 or newer, as Debian 12 has; in a container it is the "
            "host's kernel that counts"]
    assert require(tmp_path) == (told if is_old else [])


def test_nothing_is_installed_where_the_kernel_is_too_old(rich_host: set[str], tools: Tools,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    rich_host |= {"mmdebstrap"}
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(release="5.10.0"))
    with pytest.raises(HostError, match=r"kernel is 5\.10\.0"):
        install_missing(qemu=False, report=lambda text: None)


@pytest.mark.parametrize(("user", "advice"), [(0, "a container without CAP_SYS_ADMIN can't run a lab"),
                                              (1000, "kernel.unprivileged_userns_clone=1")])
def test_no_namespaces(tools: Tools, monkeypatch: pytest.MonkeyPatch, user: int, advice: str) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    tools.expect("unshare", stderr="unshare: unshare failed: Operation not permitted\n", code=1)
    problem = str(namespace_problem())
    assert advice in problem
    assert "Operation not permitted" in problem


@pytest.mark.parametrize(("user", "network", "has", "lacks"), [
    (0, True, "--net", "--user"), (0, False, "--kill-child=SIGKILL", "--net"), (1000, True, "--user", "nothing")])
def test_namespaces_by_user(monkeypatch: pytest.MonkeyPatch, user: int, network: bool, has: str, lacks: str) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    command = isolated(["true"], network=network)
    assert has in command
    assert lacks not in command
    assert command[-2:] == ["--", "true"]


def test_this_machine_has_memory_and_disk(tmp_path: Path) -> None:
    assert available_memory_mib() > 0
    assert free_disk_mib(tmp_path / "not" / "there" / "yet") > 0


def test_a_tool_that_is_not_there(tools: Tools) -> None:
    tools.let_run("no-such-tool")
    with pytest.raises(LabError, match="the tool 'no-such-tool' is not installed on this machine"):
        run(["no-such-tool"])


def test_exit_codes_are_listed(tools: Tools, tmp_path: Path) -> None:
    tools.expect("grep", stdout="", code=1)
    assert run(["grep", "x"], expected=(0, 1), log=tmp_path / "log") == ""
    tools.expect("grep", stderr="one\ntwo\nthree\nfour\n", code=2)
    with pytest.raises(CommandError, match=r"grep ended with code 2: two / three / four \(called: grep x\)") as caught:
        run(["grep", "x"], expected=(0, 1))
    assert (caught.value.argv, caught.value.code, caught.value.exit_code) == (["grep", "x"], 2, 1)


def test_a_tool_that_does_not_end(tools: Tools) -> None:
    tools.let_run("sleep")
    with pytest.raises(LabError, match="'sleep 5 …' did not end within 0 s"):
        run(["sleep", "5"], timeout_seconds=0.05)
