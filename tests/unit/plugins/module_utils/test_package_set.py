"""Packages: what is missing is installed in one run, and what a run that was cut off left is finished."""

from __future__ import annotations

import os

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils import package_set
from ansible_collections.holdfast.cluster.plugins.module_utils.errors import CommandError
from ansible_collections.holdfast.cluster.plugins.module_utils.package_set import PackageSet, parse_dpkg_status
from ansible_collections.holdfast.cluster.plugins.module_utils.resource import Action

STATUS = """\
Package: keepalived
Status: install ok installed
Version: 1:2.3.3-1
Description: failover
 more text: with a colon

Package: lvm2
Status: install ok half-configured
Version: 2.03.31-2
"""


@pytest.fixture
def calls(monkeypatch, tmp_path):
    """The commands that ran, each with what systemctl was told and whether services may start."""
    seen = []
    monkeypatch.setattr(package_set, "POLICY_FILE", str(tmp_path / "policy-rc.d"))

    def run(argv, **_options):
        seen.append((argv[0], os.environ.get("SYSTEMD_OFFLINE"), (tmp_path / "policy-rc.d").exists()))
        if seen[0][0] == "apt-get" and len(seen) == 1 and package_set.FAILS:
            raise CommandError(argv, 100, "", "dpkg was interrupted")

    monkeypatch.setattr(package_set, "FAILS", False, raising=False)
    monkeypatch.setattr(package_set, "run", run)
    return seen


def test_half_configured_is_not_installed():
    assert parse_dpkg_status(STATUS) == {"keepalived": "1:2.3.3-1"}


def test_all_that_is_missing_is_one_installation():
    assert [action.subject for action in PackageSet(["b", "a", "c"]).plan({"c": "1"})] == ["a b"]


def test_services_stay_down_and_the_manager_is_told_once_at_the_end(calls, tmp_path):
    PackageSet(["a"], services_stay_down=True).apply(Action("install", "a"))
    assert calls == [("apt-get", "1", True), ("systemctl", None, False)]
    assert not (tmp_path / "policy-rc.d").exists()


def test_what_the_installation_reads_is_there_before_it_begins(calls, tmp_path, monkeypatch):
    answers = tmp_path / "etc" / "createcluster.conf"
    found = []
    monkeypatch.setattr(package_set, "run", lambda argv, **_: found.append(answers.read_text()))
    PackageSet(["a"], answers={str(answers): "create_main_cluster = false\n"}).apply(Action("install", "a"))
    assert found == ["create_main_cluster = false\n"]


def test_an_installation_that_was_cut_off_is_finished_first(calls, monkeypatch):
    monkeypatch.setattr(package_set, "FAILS", True)
    PackageSet(["a"]).apply(Action("install", "a"))
    assert [call[0] for call in calls] == ["apt-get", "dpkg", "apt-get", "apt-get"]


def test_a_policy_that_a_cut_off_run_left_goes_away(calls, tmp_path):
    (tmp_path / "policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    PackageSet(["a"], services_stay_down=True).apply(Action("install", "a"))
    assert not (tmp_path / "policy-rc.d").exists()


def test_a_policy_of_somebody_else_stays(calls, tmp_path):
    (tmp_path / "policy-rc.d").write_text("#!/bin/sh\nexit 0\n")
    PackageSet(["a"], services_stay_down=True).apply(Action("install", "a"))
    assert (tmp_path / "policy-rc.d").exists()
