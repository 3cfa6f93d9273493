"""The node command: words to requests, answers to exit codes and tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from holdfast_agent.agent_version import VERSION
from holdfast_agent.control import __main__ as command
from holdfast_agent.control.client import NoAgentError, ask_agent
from holdfast_agent.control.protocol import Request, RequestError, decode_request, encode
from holdfast_agent.control.table import render_preview, render_status
from holdfast_agent.core.events import Verb

STATUS: dict[str, Any] = {
    "schema": 1,
    "node": "node1",
    "packages": {
        "erp": {
            "state": "owner",
            "reason": "running and verified " + "x" * 100,
            "since": "2026-11-23T03:04:05.000+00:00",
            "owner": "node1",
            "keys": {"erp-lock": {"sda": ["0x8abcdef001000007"], "sdc": []}},
            "holder": {"erp-lock": "0x8abcdef001000007"},
            "address": {"10.20.0.50/24": True},
            "last_takeover": {"cause": "x", "phases": {"detect": 0.61, "arbitrate": 0.9}, "total_seconds": 2.5},
        }
    },
    "peers": {"node2": {"alive": True, "last_seen_seconds": 0.1}, "node3": {"alive": False, "last_seen_seconds": None}},
}


@pytest.mark.parametrize(
    ("words", "request_"),
    [
        (["status"], Request("status")),
        (["start", "erp", "--json"], Request("start", "erp")),
        (["move", "erp", "node2"], Request("move", "erp", "node2")),
        (["move", "erp", "--preview"], Request("move", "erp", preview=True)),
        (["move", "erp", "--longest-transaction", "60"], Request("move", "erp", longest_transaction=60.0)),
        (["failback", "erp", "--longest-transaction", "0", "--wait", "30"],
         Request("failback", "erp", longest_transaction=0.0, wait=30.0)),
        (["start", "erp", "--up-to", "mount"], Request("start", "erp", up_to="mount")),
        (["maintenance", "on", "erp"], Request("maintenance on", "erp")),
        (["maintenance", "erp", "off"], Request("maintenance off", "erp")),
        (["forget-failures", "erp"], Request("forget-failures", "erp")),
        (["confirm-dead", "erp", "node2"], Request("confirm-dead", "erp", "node2")),
    ],
)
def test_words_become_requests(words: list[str], request_: Request) -> None:
    assert command.parse_request(command.build_parser().parse_args(words)) == request_


@pytest.mark.parametrize("words", [["maintenance", "erp", "db"], ["maintenance", "on", "off"], ["start"], ["dance", "erp"],
                                   ["confirm-dead", "erp"], ["move", "erp", "--wait", "30"]])  # fmt: skip
def test_wrong_usage_ends_with_two(words: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        command.main(words)
    assert end.value.code == 2


def test_every_verb_of_the_machine_has_a_command() -> None:
    for verb in Verb:
        words = [*verb.value.split(" "), "erp", *(["node2"] if verb is Verb.CONFIRM_DEAD else [])]
        assert command.parse_request(command.build_parser().parse_args(words)).verb == verb.value


@pytest.mark.parametrize(("answer", "code"), [({"ok": True, "reason": "done"}, 0), ({"ok": False, "reason": "no"}, 1)])
def test_the_answer_decides_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: dict[str, Any], code: int
) -> None:
    monkeypatch.setattr(command, "ask_agent", lambda request, timeout: answer)
    assert command.main(["stop", "erp", "--json"]) == code
    assert json.loads(capsys.readouterr().out) == answer


def test_without_an_agent_nothing_is_printed_but_the_reason(capsys: pytest.CaptureFixture[str], tmp_path: Path,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    with pytest.raises(NoAgentError):
        ask_agent(Request("status"), 1.0, tmp_path / "nobody")

    def nobody(request: Request, timeout: float) -> dict[str, Any]:
        raise NoAgentError("no agent answers")

    monkeypatch.setattr(command, "ask_agent", nobody)
    assert command.main(["status", "--json"]) == 1
    assert capsys.readouterr().out == ""


def test_the_table_fits_a_terminal_and_says_what_matters() -> None:
    text = render_status(STATUS)
    assert max(len(line) for line in text.splitlines()) <= 80
    for part in ("erp", "owner", "node1", "10.20.0.50/24", "1 of 2 paths", "never heard", "2.50 s"):
        assert part in text
    assert "(no packages)" in render_status({**STATUS, "packages": {}})


def test_what_was_not_read_lately_is_shown_with_its_age() -> None:
    luns = {"erp-lock": {"sda": ["0x8abcdef001000007"]}, "erp-data": {"sdb": ["0x8abcdef001000007"]}}
    package = {**STATUS["packages"]["erp"], "keys": luns, "read_seconds_ago": {"erp-lock": 0.4, "erp-data": 412.3}}
    lines = render_status({**STATUS, "packages": {"erp": package}}).splitlines()
    assert "  erp-data (412 s ago): 1 of 1 paths registered, held by nobody" in lines
    assert "  erp-lock: 1 of 1 paths registered, held by 0x8abcdef001000007" in lines


def test_a_preview_shows_what_speaks_against_it_and_what_it_would_take() -> None:
    preview = {
        "target": "node2",
        "checks": [{"name": "target heard", "ok": False, "detail": "node2 is silent"}],
        "steps": [
            {"node": "node1", "what": "stop db", "last_seconds": 0.314},
            {"node": "node2", "what": "mount", "last_seconds": None},
        ],
    }
    assert render_preview(preview).splitlines() == [
        "NO  target heard: node2 is silent",
        "  node1            stop db                                          0.31 s",
        "  node2            mount                                                 -",
    ]


@pytest.mark.parametrize(
    "line",
    [
        b'{"verb": "start", "package": "erp", "preview": true}',
        b"",
        b"[]",
        b"{}",
        b'{"verb": "dance"}',
        b'{"verb": "start"}',
        b'{"verb": "start", "package": ["erp"]}',
        b'{"verb": "move", "package": "erp", "target": {}}',
        b'{"verb": "start", "package": "erp", "up_to": 1}',
        b'{"verb": "status", "package": ' + b"[" * 3000,
        b"\xff",
    ],
)
def test_what_is_not_a_request_is_refused(line: bytes) -> None:
    with pytest.raises(RequestError):
        decode_request(line)


def test_requests_travel_as_lines() -> None:
    line = encode({"verb": "move", "package": "erp", "target": "node2"})
    assert line.endswith(b"\n")
    assert decode_request(line) == Request("move", "erp", "node2")


def test_the_version_is_told_without_an_agent(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.build_parser().parse_args(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"holdfastctl {VERSION}\n")
