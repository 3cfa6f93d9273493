"""What the role writes for Tryton is read by Tryton as it was meant."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROLE = Path(__file__).parents[3] / "roles/erp_tryton"
PASSWORD = "p@ss/w:rd%1?#&"


def read(file: str) -> Any:
    return yaml.safe_load((ROLE / file).read_text())


def render(template: str, **variables: Any) -> str:
    text = trust_as_template((ROLE / "templates" / template).read_text())
    given = {**read("defaults/main.yml"), "ansible_managed": "x", **variables}
    return str(Templar(DataLoader(), variables=given).template(text))


def configuration(placement: str) -> configparser.ConfigParser:
    """As trytond.config reads it: no interpolation."""
    given = {**read("defaults/main.yml"), "erp_tryton_placement": placement, "erp_tryton_database_password": PASSWORD,
             "erp_tryton_database": {"name": "erp", "user": "erp", "host": "10.20.0.50", "port": 5432}}  # fmt: skip
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(render("trytond.conf.j2", **given))
    return parser


@pytest.mark.parametrize("placement", ["package", "outside"])
def test_a_password_may_have_any_character(placement: str) -> None:
    found = urlparse(configuration(placement)["database"]["uri"])
    assert (found.username, unquote(found.password or "")) == ("erp", PASSWORD)
    assert found.path == "/"


@pytest.mark.parametrize("placement", ["package", "outside"])
def test_the_database_is_found_by_the_address_with_the_reconnect_rules(placement: str) -> None:
    found = urlparse(configuration(placement)["database"]["uri"])
    assert (found.hostname, found.port) == ("10.20.0.50", 5432)
    wanted = {name: [str(value)] for name, value in read("defaults/main.yml")["erp_tryton_connection_parameters"].items()}
    assert parse_qs(found.query) == wanted
    assert {"connect_timeout", "keepalives_idle", "tcp_user_timeout", "sslmode"} <= set(wanted)


def test_inside_only_the_door_is_for_everybody_and_it_leads_to_the_server() -> None:
    assert configuration("outside")["web"]["listen"] == "0.0.0.0:8000"
    behind = configuration("package")["web"]["listen"]
    assert behind == "127.0.0.1:18000"
    assert "ListenStream=0.0.0.0:8000\n" in render("door.socket.j2")
    assert f"systemd-socket-proxyd {behind}\n" in render("door.service.j2")


def test_the_server_starts_at_boot_and_the_door_does_not() -> None:
    unit = render("tryton.service.j2")
    assert "WantedBy=" in unit and "Restart=always" in unit and "StartLimitIntervalSec=0" in unit
    assert not any("[Install]" in render(template) for template in ("door.socket.j2", "door.service.j2"))
    assert "BindsTo=tryton-erp-door.socket" in render("door.service.j2")


# Stands in for the loading program: modules are missing, and the step that the test names fails with two lines.
PROGRAM = """cat >/dev/null
case "$2" in
modules) echo '{"missing": ["sale"]}' ;;
"$0") echo "a warning" >&2; echo "OperationalError: no route" >&2; exit 1 ;;
data) echo '{"changed": ["company"]}' ;;
esac
"""


def load(tmp_path: Path, failing: str) -> str:
    """What Ansible prints while it runs the role's tasks with that program."""
    tasks = [task for task in read("tasks/load.yml") if "ansible.builtin.command" in task or "ansible.builtin.assert" in task]
    secret = {"erp_tryton_administrator": {"email": "a@example.com", "password": "only-here"}, "erp_tryton_modules": ["sale"],
              "erp_tryton_company": {"users": [{"password": "only-here"}]},
              "__erp_tryton_load": ["sh", "-c", PROGRAM, failing, "load"]}  # fmt: skip
    play = tmp_path / "play.yml"
    given = {**secret, "ansible_python_interpreter": sys.executable}
    play.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "vars": given, "tasks": tasks}]))
    done = subprocess.run([str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local", str(play)],
                          cwd=tmp_path, capture_output=True, text=True, check=False,
                          env={**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(tmp_path), "ANSIBLE_NOCOLOR": "1"})  # fmt: skip
    assert "only-here" not in done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("failing", ["activate", "data"])
def test_a_step_that_fails_says_why_and_not_what_it_was_given(tmp_path: Path, failing: str) -> None:
    said = load(tmp_path, failing)
    assert "OperationalError: no route" in said
    assert "failed=1" in said


def test_a_load_that_works_is_a_change(tmp_path: Path) -> None:
    said = load(tmp_path, "nothing")
    assert "failed=0" in said and "changed=2" in said
