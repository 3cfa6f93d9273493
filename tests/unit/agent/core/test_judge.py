"""Truth table of the owner's round: every row is a finding with its reason."""

from __future__ import annotations

import pytest
from holdfast_agent.core.events import LunView, Outcome, Problem
from holdfast_agent.core.judge import Finding, judge_round

OWN, OTHER = 0xA_01_000001, 0xA_02_000001


def view(lun: str = "lock", keys: tuple[int, ...] = (OWN, OWN), holder: int | None = OWN, **more: object) -> LunView:
    return LunView(lun, keys=keys, holder=holder, **more)  # type: ignore[arg-type]


LOCK, DATA = view(), view("data")
NO_KEYS = {"keys": (), "holder": None}
TABLE = [
    # lock, data, write, finding, part of the reason
    (LOCK, DATA, Outcome.OK, Finding.OWN, ""),
    (LOCK, DATA, None, Finding.OWN, ""),
    (LOCK, DATA, Outcome.CONFLICT, Finding.LOST, "defend write"),
    (view(**NO_KEYS), DATA, Outcome.CONFLICT, Finding.LOST, "defend write"),
    (view(keys=(OTHER,), holder=OTHER), DATA, Outcome.OK, Finding.LOST, "own key is gone from lock"),
    (view(keys=(OTHER,), holder=None), DATA, Outcome.OK, Finding.LOST, "own key is gone from lock"),
    (view(keys=(OWN, OTHER), holder=OTHER), DATA, Outcome.OK, Finding.LOST, "reserved by another"),
    (LOCK, view("data", (OTHER,), OTHER), Outcome.OK, Finding.LOST, "own key is gone from data"),
    (LOCK, view("data", (OWN, OTHER), OTHER), Outcome.OK, Finding.LOST, "data is reserved by another"),
    (view(**NO_KEYS), DATA, Outcome.OK, Finding.EMPTY, "no key at all on lock"),
    (LOCK, view("data", **NO_KEYS), Outcome.OK, Finding.EMPTY, "no key at all on data"),
    (view(**NO_KEYS), view("data", (OTHER,), OTHER), Outcome.OK, Finding.LOST, "another is there"),
    (view(holder=None), DATA, Outcome.OK, Finding.UNRESERVED, "no type 5 reservation on lock"),
    (LOCK, view("data", holder=None), Outcome.OK, Finding.UNRESERVED, "no type 5 reservation on data"),
    (view(type=1), DATA, Outcome.OK, Finding.UNRESERVED, "no type 5"),
    (view(paths_up=2, paths_registered=1), DATA, Outcome.OK, Finding.UNREGISTERED_PATH, "lock"),
    (LOCK, view("data", paths_up=2, paths_registered=1), Outcome.OK, Finding.UNREGISTERED_PATH, "data"),
    (LOCK, view("data", (OWN, OTHER)), Outcome.OK, Finding.FOREIGN_DATA, "data LUN"),
    (view(keys=(OWN, OTHER)), DATA, Outcome.OK, Finding.FOREIGN_LOCK, "lock LUN"),
    (view(keys=(OWN, OTHER)), view("data", (OWN, OTHER)), Outcome.OK, Finding.FOREIGN_DATA, "data LUN"),
    (view(problem=Problem.NO_PATHS), DATA, None, Finding.GONE, "all paths of lock"),
    (LOCK, view("data", problem=Problem.NO_PATHS), Outcome.OK, Finding.GONE, "all paths of data"),
    (LOCK, DATA, Outcome.NO_PATHS, Finding.GONE, "for writing"),
    (view(problem=Problem.TIMEOUT), DATA, None, Finding.UNVERIFIED, "timeout"),
    (LOCK, view("data", problem=Problem.ERROR), Outcome.OK, Finding.UNVERIFIED, "error"),
    (LOCK, DATA, Outcome.TIMEOUT, Finding.UNVERIFIED, "write timeout"),
    (LOCK, DATA, Outcome.ERROR, Finding.UNVERIFIED, "write error"),
    (view(problem=Problem.NO_PATHS), view("data", (OTHER,), OTHER), None, Finding.LOST, "own key is gone from data"),
]


@pytest.mark.parametrize(("lock", "data", "write", "finding", "reason"), TABLE)
def test_round(lock: LunView, data: LunView, write: Outcome | None, finding: Finding, reason: str) -> None:
    verdict = judge_round(OWN, lock, (data,), write)
    assert verdict.finding is finding
    assert reason in verdict.reason


def test_foreign_keys_are_named_once_holder_first() -> None:
    verdict = judge_round(OWN, LOCK, (view("data", (OWN, OTHER, OTHER, 7)),), Outcome.OK)
    assert verdict.foreign == (OTHER, 7)
