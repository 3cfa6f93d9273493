"""The login service: sessions in their order, again and again until all exist, and no more."""

from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "roles/iscsi_initiator/files/iscsi_login.py"
WANTED = [{"target": f"iqn.x:storage-{name}", "portal": f"10.20.{number}.5:3260"} for name, number in (("a", 1), ("b", 2))]


@pytest.fixture
def login(tmp_path, monkeypatch):
    """The script as a module, on a node whose sessions are directories below tmp_path; every portal listens."""
    spec = importlib.util.spec_from_file_location("iscsi_login", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "sessions.json").write_text(json.dumps(WANTED))
    monkeypatch.setattr(module, "SESSIONS_FILE", tmp_path / "sessions.json")
    monkeypatch.setattr(module, "SESSION_CLASS", tmp_path / "class")
    monkeypatch.setattr(module.time, "sleep", lambda _seconds: None)
    module.really_listens = module.listens
    monkeypatch.setattr(module, "listens", lambda _portal: True)
    return module


def add_session(tmp_path, number, target):
    directory = tmp_path / "class" / f"session{number}"
    directory.mkdir(parents=True)
    (directory / "targetname").write_text(target + "\n")


def answer(tmp_path, monkeypatch, login, refusals):
    """Portals that refuse the first I(refusals[target]) logins; returns the list of tries."""
    tries = []

    def run(argv, **_options):
        target = argv[argv.index("-T") + 1]
        tries.append(target)
        if refusals.get(target, 0) >= tries.count(target):
            return subprocess.CompletedProcess(argv, 8, "", "connection timed out")
        add_session(tmp_path, len(tries), target)
        return subprocess.CompletedProcess(argv, 0, "", "")

    monkeypatch.setattr(login.subprocess, "run", run)
    return tries


A, B = (session["target"] for session in WANTED)


@pytest.mark.parametrize(
    ("present", "refusals", "tries"),
    [
        ([], {}, [A, B]),
        ([A], {}, [B]),
        ([A, B], {}, []),
        ([], {A: 1}, [A, B, A]),
        ([], {A: 2, B: 1}, [A, B, A, B, A]),
    ],
)
def test_tries_until_every_session_exists(tmp_path, monkeypatch, login, present, refusals, tries):
    for number, target in enumerate(present, 100):
        add_session(tmp_path, number, target)
    seen = answer(tmp_path, monkeypatch, login, refusals)
    assert login.main() == 0
    assert seen == tries


def test_a_portal_that_listens_late_is_still_the_first(tmp_path, monkeypatch, login):
    """Nodes and array got their power at the same time: the order of sessions, and their ISIDs, are those of every boot."""
    seen, asked = answer(tmp_path, monkeypatch, login, {}), []

    def listens(portal):
        asked.append(portal)
        return portal != WANTED[0]["portal"] or asked.count(portal) > 3

    monkeypatch.setattr(login, "listens", listens)
    assert login.main() == 0
    assert seen == [A, B]


def test_a_storage_network_that_is_down_does_not_hold_up_the_other_for_ever(monkeypatch, login):
    monkeypatch.setattr(login, "listens", lambda portal: portal != WANTED[0]["portal"])
    assert login.choose(WANTED, login.ORDER_SECONDS - 1) == []
    assert login.choose(WANTED, login.ORDER_SECONDS) == WANTED[1:]


def test_a_portal_is_asked_by_a_connection(login):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert login.really_listens(f"127.0.0.1:{port}")
    assert not login.really_listens(f"127.0.0.1:{port}")


def test_a_login_that_hangs_does_not_stop_the_others(monkeypatch, login, capsys):
    def hang(argv, **options):
        raise subprocess.TimeoutExpired(argv, options["timeout"])

    monkeypatch.setattr(login.subprocess, "run", hang)
    login.log_in(WANTED[0])
    assert "no answer" in capsys.readouterr().out
