"""Before anything is built: the validation of the site tells what is not there yet, and is no failure."""

from __future__ import annotations

import json


def test_what_only_the_build_makes_is_skipped_with_its_reason(playbook, tmp_path):
    done = playbook("playbooks/validate_site.yml", "-e", f"validate_site_directory={tmp_path}")
    assert done.returncode == 0, done.stdout
    tests = json.loads((tmp_path / "validation.json").read_text())["tests"]
    storage = [test for test in tests if test["category"] == "storage"]
    assert {test["verdict"] for test in storage} == {"SKIPPED"}
    assert all("build_cluster.yml" in test["findings"][0] for test in storage)
    assert {test["verdict"] for test in tests if test["category"] == "inventory"} == {"PASS"}


def test_it_changed_nothing(any_node):
    assert not any_node.file("/etc/holdfast").exists
