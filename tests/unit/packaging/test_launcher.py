"""The first steps of a stranger, good and bad: each ends in a working command or in a line that says what to do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from holdfast.python_packages import CAUSES
from tests.unit.packaging.fake_machine import ROOT, Machine, make_machine

MAKING = "holdfast: making the Python environment (once, about half a minute)"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return make_machine(tmp_path)


def test_the_first_call_makes_the_environment_and_the_second_uses_it(machine: Machine) -> None:
    machine.python("3.11.2")
    assert machine.run("lab", "up") == (0, "holdfast ran: lab up\n", [MAKING])
    assert machine.run("lab", "down") == (0, "holdfast ran: lab down\n", [])
    assert len(machine.calls("-m pip install")) == 1


def test_what_the_user_has_set_for_another_python_changes_nothing(machine: Machine) -> None:
    machine.settings.update(PYTHONPATH="/opt/other", PYTHONHOME="/opt/other", PIP_USER="1")
    machine.python("3.13.1", pip='case "$*" in *--no-user*) ;; *) echo "ERROR: no user site in here" >&2; exit 1 ;; esac')
    assert machine.run("x") == (0, "holdfast ran: x\n", [MAKING])


def test_from_another_folder_and_through_a_link(machine: Machine, tmp_path: Path) -> None:
    machine.python("3.13.1")
    (tmp_path / "link").symlink_to(machine.checkout / "holdfast")
    assert machine.run("a", "b c", launcher=tmp_path / "link", cwd=tmp_path)[1] == "holdfast ran: a b c\n"
    assert machine.venv.is_dir()
    assert not (tmp_path / ".venv").exists()


def test_a_newer_python_of_another_name_is_found(machine: Machine) -> None:
    machine.python("3.9.2")
    machine.python("3.12.4", name="python3.12")
    assert machine.run()[0] == 0
    assert machine.calls("python3.12 -m venv")


@pytest.mark.parametrize("user", [0, 1000])
def test_a_python_that_is_too_old_is_named(machine: Machine, user: int) -> None:
    machine.user(user)
    machine.python("3.9.2")
    machine.tool("apt-get", "exit 99")
    code, _, said = machine.run()
    assert (code, said) == (1, ["holdfast: Python 3.9.2 is too old, 3.11 or newer is needed; Debian 12 or newer has one"])
    assert not machine.calls("apt-get")


@pytest.mark.parametrize(("has_python", "packages"), [(True, "python3-venv"), (False, "python3 python3-venv openssh-client")])
def test_root_gets_what_is_missing(machine: Machine, has_python: bool, packages: str) -> None:
    if has_python:
        machine.python("3.11.2", has_venv=False)
    machine.python("3.11.2", name="prepared")
    machine.tool("apt-get", f'case "$1" in install) mv -f "{machine.bin}/prepared" "{machine.bin}/python3" ;; esac')
    (machine.bin / "mv").symlink_to("/bin/mv")
    assert machine.run() == (0, "holdfast ran: \n", [f"holdfast: installing {packages}", MAKING])
    assert machine.calls("apt-get install")[0].endswith(packages)


@pytest.mark.parametrize(("has_python", "packages"), [(True, "python3-venv"), (False, "python3 python3-venv openssh-client")])
@pytest.mark.parametrize("has_sudo", [True, False])
def test_without_root_and_sudo_the_command_is_named(machine: Machine, has_python: bool, packages: str, has_sudo: bool) -> None:
    machine.user(1000)
    machine.tool("apt-get", "exit 99")
    if has_python:
        machine.python("3.11.2", has_venv=False)
    if has_sudo:
        machine.tool("sudo", "exit 1")  # it asks for a password
    assert machine.run() == (1, "", [f"holdfast: packages are missing; get them with: sudo apt-get install {packages}"])


def test_without_apt(machine: Machine) -> None:
    assert machine.run() == (1, "", ["holdfast: Python 3.11 or newer with its modules venv and ensurepip is needed"])


NOT_FETCHED = "Failed to fetch http://d/InRelease  Temporary failure resolving"
UNKNOWN = "E: Unable to locate package python3"


@pytest.mark.parametrize(("update", "install", "reason"), [
    ("", UNKNOWN, UNKNOWN),
    (f"W: {NOT_FETCHED}", UNKNOWN, f"W: {NOT_FETCHED}; {UNKNOWN}"),
    ("", f"E: {NOT_FETCHED}", f"E: {NOT_FETCHED}"),
    ("", "", "it gave no reason"),
])
def test_apt_without_a_network(machine: Machine, update: str, install: str, reason: str) -> None:
    machine.tool("apt-get", f'case "$1" in update) echo "{update}" >&2 ;; '
                 f'install) echo noise; echo "{install}" >&2; exit 100 ;; esac')
    code, _, said = machine.run()
    assert code == 1
    assert said[1:] == [f"holdfast: apt-get could not install python3 python3-venv openssh-client: {reason}; see to that (the "
                        "network?), then run the same command again"]


def test_pip_is_quiet_when_it_works_and_the_noise_is_left_out_when_not(machine: Machine) -> None:
    noise = "echo \"WARNING: Location 'file:///x' is ignored: it is neither a file nor a directory.\" >&2"
    machine.python("3.11.2", pip=f"{noise}; echo 'ERROR: no answer' >&2; exit 1")
    code, _, said = machine.run()
    assert code == 1
    assert said[:2] == [MAKING, "ERROR: no answer"]
    assert "run the same command again" in said[2]
    assert len(said) == 3
    machine.python("3.11.2", pip=noise)
    assert machine.run() == (0, "holdfast ran: \n", [MAKING])


def test_no_network_is_said_in_one_line(machine: Machine) -> None:
    broken = ("WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(x: [Errno -3] Temporary failure "
              "in name resolution)': /simple/x/")
    machine.python("3.11.2", pip=f'echo "{broken}" >&2; echo "ERROR: No matching distribution found for x" >&2; exit 1')
    code, _, said = machine.run()
    assert (code, said) == (1, [MAKING, "holdfast: the package index does not answer (name resolution); without a way to it set "
                                "PIP_INDEX_URL or a proxy, then run the same command again"])


def test_the_launcher_and_the_tools_look_for_the_same_words() -> None:
    assert f"no_answer='{CAUSES}'" in (ROOT / "holdfast").read_text()


def test_too_little_disk(machine: Machine) -> None:
    machine.python("3.11.2")
    machine.tool("df", "echo header; echo 'disk 9 9 102400 9% /'")
    said = f"holdfast: {machine.checkout} has 100 MiB of free disk; the Python environment needs 350 MiB"
    assert machine.run() == (1, "", [said])


@pytest.mark.parametrize("sign", [":", '"', "$", "`", "\\"])
def test_a_folder_in_which_no_environment_works(machine: Machine, sign: str) -> None:
    machine.python("3.11.2")
    machine.checkout = machine.checkout.rename(machine.checkout.with_name(f"a{sign}b"))
    code, _, said = machine.run()
    assert (code, len(said), f"a{sign}b" in said[0]) == (1, 1, True)
    assert said[0].endswith('for one of : " $ ` \\ in its name; put the checkout elsewhere')
    assert not machine.venv.exists()


def test_a_first_setup_that_was_cut_off_is_made_anew(machine: Machine) -> None:
    machine.python("3.11.2", pip=f'echo >"{machine.log}.pip"; sleep 60')
    cut = machine.start()
    while not machine.log.with_name("calls.pip").exists():
        time.sleep(0.05)
    left = machine.venv / "left over"
    left.touch()
    os.killpg(cut.pid, signal.SIGKILL)
    cut.wait()
    machine.python("3.11.2")
    assert machine.run("x") == (0, "holdfast ran: x\n", [MAKING])
    assert not left.exists()


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_first_setup_that_is_interrupted_says_so_and_nothing_else(machine: Machine, sent: signal.Signals, code: int) -> None:
    machine.python("3.11.2", pip=f'echo >"{machine.log}.pip"; sleep 60')
    setup = machine.start()
    while not machine.log.with_name("calls.pip").exists():
        time.sleep(0.05)
    os.killpg(setup.pid, sent)
    _, said = setup.communicate(timeout=30)
    assert (setup.returncode, said.splitlines()) == (code, [MAKING, "holdfast: interrupted"])
    new = {path.name for path in machine.checkout.iterdir()} - {"holdfast", "requirements.txt", "src", "agent"}
    assert new <= {".venv", ".venv.lock"}
    machine.python("3.11.2")
    assert machine.run("x") == (0, "holdfast ran: x\n", [MAKING])


def test_why_there_is_no_environment(machine: Machine) -> None:
    machine.python("3.11.2")
    (machine.bin / "cp").unlink()
    code, _, said = machine.run()
    assert (code, said[0], len(said)) == (1, MAKING, 3)
    assert "cp" in said[1]
    assert said[2].startswith(f"holdfast: could not make a virtual environment in {machine.venv}, the lines above say why")


@pytest.mark.parametrize("change", ["requirements", "moved", "python gone", "python upgraded"])
def test_an_environment_that_no_longer_fits_is_made_anew(machine: Machine, change: str) -> None:
    machine.python("3.11.2")
    assert machine.run()[0] == 0
    if change == "requirements":
        (machine.checkout / "requirements.txt").write_text("ansible-core==2\n")
    elif change == "moved":
        machine.checkout = machine.checkout.rename(machine.checkout.with_name("moved"))
    else:
        (machine.venv / "bin" / "python").unlink()
    if change == "python upgraded":
        (machine.venv / "bin" / "python").symlink_to(machine.bin / "python3")
    assert machine.run() == (0, "holdfast ran: \n", [MAKING])
    assert machine.run() == (0, "holdfast ran: \n", [])


def test_two_first_calls_at_once(machine: Machine) -> None:
    machine.python("3.11.2", pip="sleep 1")
    both = [machine.start(name) for name in ("one", "two")]
    ends = [(process.communicate(timeout=60), process.returncode) for process in both]
    assert [code for _, code in ends] == [0, 0]
    assert [out for (out, _), _ in ends] == ["holdfast ran: one\n", "holdfast ran: two\n"]
    said = sorted(err for (_, err), _ in ends)
    assert said == [f"{MAKING}\n", "holdfast: waiting for another call that is making the Python environment\n"]
    assert len(machine.calls("-m pip install")) == 1


def test_an_index_that_cannot_be_reached(machine: Machine) -> None:
    """With the real Python and pip, against a port of this machine at which nobody listens."""
    (machine.checkout / "requirements.txt").write_text("no-such-package==1\n")
    (machine.bin / "python3").symlink_to(sys._base_executable)
    environment = {"PATH": str(machine.bin), "HOME": "/nonexistent", "PIP_CONFIG_FILE": "/dev/null", "PIP_RETRIES": "0",
                   "PIP_INDEX_URL": "http://127.0.0.1:9/simple"}
    done = subprocess.run([str(machine.checkout / "holdfast")], env=environment, capture_output=True, text=True, check=False)
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1
    assert last.startswith("holdfast: pip could not install requirements.txt")
    assert "no-such-package" in done.stderr
    assert len(done.stderr.splitlines()) <= 7
