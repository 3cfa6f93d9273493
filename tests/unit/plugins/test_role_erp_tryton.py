"""What the role writes for Tryton is read by Tryton as it was meant."""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import Any
from urllib.parse import ParseResult, parse_qs, unquote, urlparse

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


def uri(placement: str) -> ParseResult:
    """As trytond.config reads it: no interpolation, then urlparse."""
    (task,) = read("tasks/configure.yml")
    names = ("__erp_tryton_authority", "__erp_tryton_parameters")
    given = {**read("defaults/main.yml"), **read("vars/debian_13.yml"), "erp_tryton_placement": placement,
             "erp_tryton_database": {"name": "erp", "user": "erp", "host": "10.20.0.50", "port": 5432},
             "erp_tryton_database_password": PASSWORD}  # fmt: skip
    templar = Templar(DataLoader(), variables=given)
    told = {name: templar.template(trust_as_template(task["vars"][name])) for name in names}
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(render("trytond.conf.j2", **given, **told))
    return urlparse(parser["database"]["uri"])


@pytest.mark.parametrize("placement", ["package", "outside"])
def test_a_password_may_have_any_character(placement: str) -> None:
    found = uri(placement)
    assert (found.username, unquote(found.password or "")) == ("erp", PASSWORD)
    assert found.path == "/"


def test_outside_it_is_the_address_with_the_reconnect_rules() -> None:
    found = uri("outside")
    assert (found.hostname, found.port) == ("10.20.0.50", 5432)
    wanted = {name: [str(value)] for name, value in read("defaults/main.yml")["erp_tryton_connection_parameters"].items()}
    assert parse_qs(found.query) == wanted
    assert {"connect_timeout", "keepalives_idle", "tcp_user_timeout", "sslmode"} <= set(wanted)


def test_inside_it_is_the_socket_of_the_database() -> None:
    found = uri("package")
    assert found.hostname is None
    assert parse_qs(found.query) == {"host": ["/var/run/postgresql"], "port": ["5432"]}


@pytest.mark.parametrize(("placement", "nice", "installed"), [("package", True, False), ("outside", False, True)])
def test_only_the_server_outside_starts_at_boot_and_only_the_one_inside_steps_back(
    placement: str, nice: bool, installed: bool
) -> None:
    unit = render("tryton.service.j2", erp_tryton_placement=placement)
    assert ("Nice=10" in unit) is nice
    assert ("WantedBy=" in unit) is installed
    assert "Restart=always" in unit and "StartLimitIntervalSec=0" in unit
