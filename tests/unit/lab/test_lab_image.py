"""Images: recipe, archive, and that a build is complete or not there."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.lab.errors import HostError, LabError
from holdfast.lab.image import attended, store
from holdfast.lab.image.archive import PrivateApt, archive_address
from holdfast.lab.image.store import Recipe, ensure_image, find_image, images_directory, read_recipe
from holdfast.lab.topology import SYSTEMS
from tests.closed_environment import Tools

# Recorded from apt 2.6 and 3.0; the addresses are replaced.
TARGETS = """\
http://archive.example/debian-security/ trixie-security main
http://packages.example/tools/ stable main
http://archive.example/debian/ trixie main
http://archive.example/debian/ trixie contrib
"""
POLICY = """\
user-mode-linux:
  Installed: (none)
  Candidate: 7.2um1
  Version table:
     7.2um1 500
        500 http://archive.example/debian sid/main amd64 Packages
"""
SIMULATED = """\
Reading package lists...
Inst libedit2 (3.1-20250104-1 Debian:13.1/stable [amd64])
Inst xfsprogs [6.12.0-1] (6.13.0-2+b1 Debian:13.1/stable [amd64]) []
Inst lvm2 (2:2.03.31-2 Debian:13.1/stable [amd64])
Conf libedit2 (3.1-20250104-1 Debian:13.1/stable [amd64])
"""


@pytest.fixture
def recipe() -> Recipe:
    return Recipe("debian13", "trixie", "uml", ("systemd",), ("lvm2",))


@pytest.fixture
def apt(tmp_path: Path) -> PrivateApt:
    return PrivateApt(tmp_path / "apt", "http://archive.example/debian", ("trixie", "trixie-updates"), tmp_path / "log")


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("backend", ["uml", "qemu"])
def test_every_system_has_a_recipe(system: str, backend: str) -> None:
    recipe = read_recipe(system, SYSTEMS[system], backend)
    assert "openssh-server" in recipe.base
    assert "targetcli-fb" in recipe.pool
    assert len(set(recipe.pool)) == len(recipe.pool)
    assert recipe.name == f"{system}-{backend}-{recipe.digest}"


def test_packages_of_a_topology_join_the_pool() -> None:
    plain = read_recipe("debian13", "trixie", "uml")
    more = read_recipe("debian13", "trixie", "uml", ("pacemaker", "lvm2"))
    assert more.pool == (*plain.pool, "pacemaker")
    assert more.name != plain.name


def test_digest_changes_with_everything_that_makes_the_image(recipe: Recipe) -> None:
    changed = [replace(recipe, system="debian12"), replace(recipe, backend="qemu"), replace(recipe, base=("a",)),
               replace(recipe, pool=("lvm2", "fio"))]
    assert len({recipe.digest, *(other.digest for other in changed)}) == 5
    assert recipe.digest == replace(recipe).digest


def test_digest_changes_with_a_guest_file(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "image").mkdir()
    (tmp_path / "guest").mkdir()
    (tmp_path / "image" / "build.py").write_text("one")
    guest = tmp_path / "guest" / "unit"
    guest.write_text("one")
    monkeypatch.setattr(store, "__file__", str(tmp_path / "image" / "store.py"))
    before = recipe.digest
    guest.write_text("two")
    assert recipe.digest != before


def test_address_comes_from_the_setting_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_DEBIAN_MIRROR", "http://mirror.example/debian/")
    assert archive_address() == "http://mirror.example/debian"


def test_address_comes_from_the_hosts_apt(tools: Tools) -> None:
    tools.expect("apt-get", "indextargets", stdout=TARGETS)
    assert archive_address() == "http://archive.example/debian"


@pytest.mark.parametrize("listing", ["", "\n\n", TARGETS.splitlines()[0], "garbage", "http://u.example/ubuntu/ noble main"])
def test_no_archive_says_what_to_do(tools: Tools, listing: str) -> None:
    tools.expect("apt-get", "indextargets", stdout=listing)
    with pytest.raises(HostError, match="HOLDFAST_DEBIAN_MIRROR"):
        archive_address()


def test_private_apt_never_looks_at_the_hosts(apt: PrivateApt, tools: Tools) -> None:
    tools.expect("apt-get")
    apt.update()
    settings = dict(word.split("=", 1) for word in tools.calls[0] if "=" in word)
    assert settings["Dir::Etc::SourceParts"] == settings["Dir::Etc::PreferencesParts"] == "/dev/null"
    assert all(settings[key].startswith(str(apt.root)) for key in (
        "Dir::Etc::SourceList", "Dir::State", "Dir::State::Lists", "Dir::State::status", "Dir::Cache"))
    assert "signed-by=" in (apt.root / "sources.list").read_text()


def test_an_archive_that_does_not_answer_is_told_without_the_call(apt: PrivateApt, tools: Tools) -> None:
    said = ("E: Failed to fetch http://archive.example/dists/sid/InRelease  Temporary failure resolving 'archive.example'\n"
            "E: Some index files failed to download. They have been ignored, or old ones used instead.\n")
    tools.expect("apt-get", code=100, stderr=said)
    with pytest.raises(HostError) as caught:
        apt.update()
    assert str(caught.value) == (
        f"Debian's archive http://archive.example/debian could not be read: {said.splitlines()[0]}; see to that (the network?) "
        "or set HOLDFAST_DEBIAN_MIRROR to another mirror, then run the same command again")


def test_candidate(apt: PrivateApt, tools: Tools) -> None:
    tools.expect("apt-cache", stdout=POLICY)
    assert apt.candidate("user-mode-linux") == "7.2um1"


@pytest.mark.parametrize("policy", ["", POLICY.replace("7.2um1", "(none)"), "N: Unable to locate package"])
def test_no_candidate(apt: PrivateApt, tools: Tools, policy: str) -> None:
    tools.expect("apt-cache", stdout=policy)
    with pytest.raises(LabError, match="offers no package 'user-mode-linux'"):
        apt.candidate("user-mode-linux")


def test_pool_is_what_an_installation_would_fetch(apt: PrivateApt, tools: Tools, tmp_path: Path) -> None:
    names = ["libedit2_3.1-20250104-1_amd64.deb", "xfsprogs_6.13.0-2+b1_amd64.deb", "lvm2_2%3a2.03.31-2_amd64.deb"]
    for name in [*names, "lvm2_2%3a2.03.16-2_amd64.deb"]:
        (apt.root / "archives" / name).touch()
    tools.expect("apt-get", stdout=SIMULATED)
    tools.expect("apt-get")
    found = apt.download_with_dependencies(["lvm2", "xfsprogs"], tmp_path / "status")
    assert [path.name for path in found] == names
    assert "--simulate" in tools.calls[0]
    assert "--download-only" in tools.calls[1]
    assert f"Dir::State::status={tmp_path / 'status'}" in tools.calls[1]


def test_a_folder_without_manifest_is_no_image(recipe: Recipe) -> None:
    directory = images_directory() / recipe.name
    directory.mkdir(parents=True)
    assert find_image(recipe) is None
    (directory / "manifest.json").write_text('{"kernel": "7.2um1"}')
    found = find_image(recipe)
    assert found is not None
    assert found.manifest == {"kernel": "7.2um1"}


def test_an_image_that_is_there_is_not_built(recipe: Recipe) -> None:
    directory = images_directory() / recipe.name
    directory.mkdir(parents=True)
    (directory / "manifest.json").write_text("{}")
    assert ensure_image(recipe, pytest.fail).directory == directory


def test_a_build_tells_its_steps(recipe: Recipe, tools: Tools) -> None:
    tools.expect(sys.executable, "-m", "holdfast.lab.image.attended", stdout="step: one\nnoise\nstep: two\n")
    steps: list[str] = []
    image = ensure_image(recipe, steps.append)
    assert steps == ["one", "two"]
    assert image.directory.name == recipe.name
    assert not list(images_directory().glob("*.building"))


def test_a_failed_build_says_why_and_an_older_one_is_removed_first(recipe: Recipe, tools: Tools) -> None:
    left = images_directory() / "other.building"
    left.mkdir(parents=True)
    tools.expect("unshare")
    tools.expect(sys.executable, "-m", "holdfast.lab.image.attended", stdout="step: one\nthe archive is away\n", code=1)
    with pytest.raises(LabError, match=r"building the image \S+ failed: the archive is away \(everything it did: \S+\.log\)"):
        ensure_image(recipe, lambda text: None)
    assert tools.calls[0][-4:] == ["rm", "-rf", "--", str(left)]
    assert "--net" not in tools.calls[0]


@pytest.mark.parametrize(("code", "removes"), [(0, False), (1, True)])
def test_a_build_that_failed_leaves_nothing(tools: Tools, monkeypatch: pytest.MonkeyPatch, code: int, removes: bool) -> None:
    left = images_directory() / "this.building"
    left.mkdir(parents=True)
    monkeypatch.setattr(sys, "argv", ["attended", "{}"])
    monkeypatch.setattr(attended, "end_with_caller", lambda child: None)
    tools.expect("unshare", code=code)
    if removes:
        tools.expect("unshare")
    assert attended.main() == code
    assert tools.calls[0][-3:] == ["-m", "holdfast.lab.image.build", "{}"]
    assert removes is (tools.calls[-1][-4:] == ["rm", "-rf", "--", str(left)])


def test_steps_and_last_line() -> None:
    steps: list[str] = []
    assert store._follow(io.StringIO("step: a\n\nreason\n"), steps.append) == "reason"
    assert store._follow(None, steps.append) == "no message"
    assert steps == ["a"]
