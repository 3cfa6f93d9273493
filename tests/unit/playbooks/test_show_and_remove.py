"""Showing and removing: a table and the same as JSON; nothing is removed without an explicit yes."""

from __future__ import annotations

import json

from tests.unit.playbooks.test_build_and_deploy import deployed


def test_packages_are_shown_as_a_table_and_as_json(site, definition, tmp_path):
    answers = {**deployed(definition), "package_info node2": {"changed": False, "packages": {}, "node": None}}
    run = site.run("show_packages", answers=answers, show_packages_file=str(tmp_path / "packages.json"))
    assert run.code == 0, run.output
    assert "PACKAGE" in run.output
    shown = json.loads((tmp_path / "packages.json").read_text())
    assert shown["packages"]["erp"]["owner"] == "node1"
    assert shown["nodes"]["node2"] is None


def test_without_a_yes_nothing_is_removed(site):
    for variables in ({}, {"remove_cluster": "other"}):
        run = site.run("remove_cluster", **variables)
        assert run.code != 0
        assert "Say yes with -e remove_cluster=lab" in run.output
        assert {call.module for call in run.calls} <= {"system_facts"}


def test_a_removal_stops_the_packages_first_and_takes_every_layer_away(site, definition):
    serving = site.run("remove_cluster", answers=deployed(definition), remove_cluster="lab")
    assert [(call.host, call.args["state"]) for call in serving.asked("package")] == [("node1", "stopped")]
    # The stand-in's node says even then that it serves, and the role goes no further.
    assert serving.code != 0
    assert "node1 serves a package; stop it first" in serving.output
    assert not any(call.host == "node1" and call.module == "site_units" for call in serving.calls)
    removed = site.run("remove_cluster", remove_cluster="lab")
    assert removed.code == 0, removed.output
    tasks = [call.task for call in removed.calls if call.host == "node1" and " : " in call.task]
    layers = dict.fromkeys(task.partition(" : ")[0].removeprefix("holdfast.cluster.") for task in tasks)
    assert list(layers) == ["package", "postgresql_service", "virtual_address", "shared_volume", "multipath", "iscsi_initiator",
                            "watchdog", "node_base"]  # fmt: skip
    assert removed.asked("lio_target")[0].args["state"] == "absent"
