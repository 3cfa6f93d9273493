"""Files first, then their units, which are reloaded for exactly the changes that ask for it."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils import unit_set
from ansible_collections.holdfast.cluster.plugins.modules import site_files

OWNER = {"owner": pwd.getpwuid(os.getuid()).pw_name, "group": grp.getgrgid(os.getgid()).gr_name}
ACTIVE = "Id={}\nLoadState=loaded\nUnitFileState=enabled\nActiveState=active\nNeedDaemonReload=no\n"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What was told to systemctl; every unit it is asked about runs."""
    seen: list[list[str]] = []

    def run(argv: list[str], **_options: Any) -> str:
        if argv[1] == "show":
            return "\n".join(ACTIVE.format(name) for name in argv[argv.index("--") + 1 :])
        seen.append(argv[1:])
        return ""

    monkeypatch.setattr(unit_set, "run", run)
    return seen


def parameters(tmp_path: Path, content: str) -> dict[str, Any]:
    rules = str(tmp_path / "rules.nft")
    file = {"path": rules, "content": content, "secret_content": None, "block": None, "validate": [], "mode": "0600", **OWNER}
    unit = {"name": "firewall.service", "enabled": True, "active": True, "masked": None, "reloaded_by": [rules]}
    return {"directories": [], "files": [file], "absent": [], "units": [unit], "note": str(tmp_path / "note")}


def test_a_change_reloads_its_unit_and_a_second_run_does_nothing(tmp_path, calls):
    done = site_files.sync_files(parameters(tmp_path, "one"), check_mode=False)
    assert done["changed_paths"] == [str(tmp_path / "rules.nft")]
    assert calls == [["--quiet", "reload", "--", "firewall.service"]]
    assert done["units"]["firewall.service"]["active"]
    again = site_files.sync_files(parameters(tmp_path, "one"), check_mode=False)
    assert (again["changed"], len(calls), (tmp_path / "note").exists()) == (False, 1, False)


def test_check_mode_tells_both_and_does_neither(tmp_path, calls):
    would = site_files.sync_files(parameters(tmp_path, "one"), check_mode=True)
    assert would["actions"] == [f"create {tmp_path}/rules.nft", "reload firewall.service"]
    assert (calls, list(tmp_path.iterdir())) == ([], [])


def test_a_reload_that_a_cut_off_run_owes_is_made_up_for(tmp_path, calls):
    (tmp_path / "rules.nft").write_text("one")
    (tmp_path / "rules.nft").chmod(0o600)
    (tmp_path / "note").write_text(f"{tmp_path}/rules.nft\n")
    done = site_files.sync_files(parameters(tmp_path, "one"), check_mode=False)
    assert done["actions"] == ["reload firewall.service"]
    assert not (tmp_path / "note").exists()


def test_a_note_stays_where_somebody_else_acts_upon_it(tmp_path, calls):
    wanted = parameters(tmp_path, "one")
    wanted["units"][0]["reloaded_by"] = []
    assert site_files.sync_files(wanted, check_mode=False)["changed_paths"]
    assert (calls, (tmp_path / "note").exists()) == ([], True)


def test_a_changed_unit_file_is_read_again_before_its_unit_is_touched(calls):
    unit = {"name": "a.service", "enabled": True, "active": True, "reloaded_by": ["/etc/a"]}
    units = site_files.build_unit_set([unit], ["/etc/a", "/etc/systemd/system/a.service"], check_mode=False)
    for action in units.plan(units.read()):
        units.apply(action)
    assert calls == [["daemon-reload"], ["--quiet", "reload", "--", "a.service"]]


def test_lines_of_others_stay_around_a_block(tmp_path, calls):
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n")
    wanted = parameters(tmp_path, "")
    wanted.update(units=[], note=None)
    wanted["files"][0].update(path=str(hosts), content=None, block="10.0.0.1 node1")
    assert site_files.sync_files(wanted, check_mode=False)["changed"]
    hosts.write_text(hosts.read_text() + "10.0.0.9 theirs\n")
    wanted["files"][0]["block"] = "10.0.0.2 node2"
    assert site_files.sync_files(wanted, check_mode=False)["changed"]
    assert hosts.read_text().splitlines() == [
        "127.0.0.1 localhost", "# BEGIN holdfast", "10.0.0.2 node2", "# END holdfast", "10.0.0.9 theirs"]
    assert not site_files.sync_files(wanted, check_mode=False)["changed"]
