"""systemd units: what is read, and which verbs lead to the wanted state."""

from __future__ import annotations

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils import unit_set
from ansible_collections.holdfast.cluster.plugins.module_utils.errors import HoldfastError, ParseError
from ansible_collections.holdfast.cluster.plugins.module_utils.unit_set import UnitSet, parse_systemctl_show

from .support import described, recorded

NAMES = ["keepalived.service", "postgresql.service", "nosuch.service"]


def read() -> dict:
    return parse_systemctl_show(recorded("systemctl_show_257.txt"), NAMES)


def test_recorded_answer_is_read():
    assert read()["keepalived.service"] == {
        "present": True,
        "enabled": True,
        "masked": False,
        "active": True,
        "needs_reload": False,
    }
    assert (read()["postgresql.service"]["enabled"], read()["nosuch.service"]["present"]) == (False, False)


@pytest.mark.parametrize("text", ["", "Id=a.service\nLoadState=loaded\n"])
def test_answer_for_other_units_is_an_error(text):
    with pytest.raises(ParseError):
        parse_systemctl_show(text, ["a.service"])


def test_one_action_per_verb_in_a_safe_order():
    wanted = {
        "keepalived.service": {"enabled": False, "active": False},
        "postgresql.service": {"enabled": True, "active": True},
    }
    assert described(UnitSet(wanted).plan(read())) == [
        "stop keepalived.service",
        "disable keepalived.service",
        "enable postgresql.service",
        "start postgresql.service",
    ]


def test_wanted_state_needs_nothing():
    assert UnitSet({"keepalived.service": {"enabled": True, "active": True}}).plan(read()) == []


def test_running_unit_is_reloaded_and_a_stopped_one_is_not():
    wanted = {name: {"reloaded": True} for name in NAMES[:2]}
    assert described(UnitSet(wanted).plan(read())) == ["reload keepalived.service"]


def test_missing_unit_is_refused_but_not_in_check_mode():
    wanted = {"nosuch.service": {"active": True}}
    with pytest.raises(HoldfastError, match=r"nosuch\.service is not installed"):
        UnitSet(wanted).plan(read())
    assert described(UnitSet(wanted, may_be_missing=True).plan(read())) == ["start nosuch.service"]


def test_missing_unit_that_shall_not_run_is_fine():
    assert UnitSet({"nosuch.service": {"enabled": False, "active": False}}).plan(read()) == []


@pytest.fixture
def calls(monkeypatch) -> list[str]:
    """Verbs of the systemctl calls, with what goes with them."""
    made: list[str] = []

    def run(argv, variables=()) -> str:
        made.append(" ".join([*argv[1:], *variables]))
        return ""

    monkeypatch.setattr(unit_set, "run", run)
    return made


def apply_all(units: UnitSet, before: dict) -> None:
    for action in units.plan(before):
        units.apply(action)
    units.finish()


def changed(name: str, **values: bool) -> dict:
    return {**read(), name: {**read()[name], **values}}


def test_a_unit_that_was_started_needs_no_restart_any_more(calls) -> None:
    units = UnitSet({"keepalived.service": {"active": True, "restarted": True}})
    apply_all(units, changed("keepalived.service", active=False))
    assert calls == ["--quiet start -- keepalived.service"]
    assert units.plan(read()) == []


def test_unit_files_are_read_again_once_between_the_links_and_the_start(calls) -> None:
    wanted = {"keepalived.service": {"enabled": False}, "postgresql.service": {"enabled": True, "active": True}}
    apply_all(UnitSet(wanted, daemon_reload=True), changed("postgresql.service", needs_reload=True))
    assert calls == [
        "--quiet --no-reload disable -- keepalived.service SYSTEMCTL_SKIP_SYSV",
        "--quiet --no-reload enable -- postgresql.service SYSTEMCTL_SKIP_SYSV",
        "daemon-reload",
        "--quiet start -- postgresql.service",
    ]


@pytest.mark.parametrize("wanted", [{"enabled": False}, {"masked": True}])
def test_links_alone_are_read_at_the_end(calls, wanted) -> None:
    apply_all(UnitSet({"keepalived.service": wanted}), read())
    assert len(calls) == 2
    assert calls[-1] == "daemon-reload"
