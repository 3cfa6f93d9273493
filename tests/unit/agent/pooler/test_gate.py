"""The gate: what it holds, when it lets go, and whose word counts."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from holdfast_agent.errors import DeadlineError, ResourceError
from holdfast_agent.pooler.gate import Gate
from holdfast_agent.pooler.hold import Hold, HoldFile
from holdfast_agent.pooler.message import PAUSE, SERVE, STATUS, Question


class FakePooler:
    """Writes down what it is told; ``during_pause`` is what happens while a pause waits."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.failing = ""
        self.during_pause: Callable[[], None] = lambda: None

    def _tell(self, word: str) -> None:
        self.told.append(word)
        if self.failing == word:
            raise ResourceError("PgBouncer does not answer")

    def pause(self, deadline: float) -> None:
        self._tell("pause")
        self.during_pause()

    def resume(self) -> None:
        self._tell("resume")

    def reconnect(self) -> None:
        self._tell("reconnect")


class Bench:
    def __init__(self, path: Path) -> None:
        self.pooler, self.file, self.lines, self.answers = FakePooler(), HoldFile(path), list[str](), True
        self.gate = self.new_gate()

    def new_gate(self) -> Gate:
        return Gate(self.pooler, self.file, lambda deadline: self.answers, self.lines.append)

    def told(self) -> list[str]:
        told, self.pooler.told = self.pooler.told, []
        return told


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "hold.json")


def pause(term: int = 1, at: float = 1.0, hold_seconds: float = 60.0) -> Question:
    return Question(PAUSE, term, at, 5.0, hold_seconds)


def test_a_move_is_held_and_let_go_by_the_new_owner(bench: Bench) -> None:
    assert bench.gate.answer(pause()).paused
    answer = bench.gate.answer(Question(SERVE, 2, 0.5))
    assert answer.ok and not answer.paused
    assert bench.told() == ["pause", "reconnect", "resume"]


def test_the_end_of_the_hold_is_written_down_before_the_pause(bench: Bench) -> None:
    kept: list[Hold | None] = []
    bench.pooler.during_pause = lambda: kept.append(bench.file.read())
    bench.gate.answer(pause())
    assert kept[0] is not None and kept[0].until > time.monotonic()


def test_clients_go_on_when_nobody_says_so(bench: Bench) -> None:
    bench.gate.answer(pause(hold_seconds=0.0))
    bench.gate.watch()
    assert bench.told() == ["pause", "resume"]
    assert "hold of term 1 is over" in bench.lines[0]
    bench.gate.watch()
    assert not bench.told()


def test_a_hold_that_lasts_is_left_alone(bench: Bench) -> None:
    bench.gate.answer(pause())
    bench.gate.watch()
    assert bench.told() == ["pause"]


def test_letting_go_is_tried_again(bench: Bench) -> None:
    bench.gate.answer(pause(hold_seconds=0.0))
    bench.pooler.failing = "resume"
    bench.gate.watch()
    bench.pooler.failing = ""
    bench.gate.watch()
    assert bench.told() == ["pause", "resume", "resume"]


def test_a_gate_that_is_restarted_keeps_the_hold_and_its_end(bench: Bench) -> None:
    bench.gate.answer(pause(term=4, hold_seconds=0.0))
    restarted = bench.new_gate()
    assert "overtaken" in restarted.answer(Question(SERVE, 3, 9.0)).reason
    restarted.watch()
    assert bench.told() == ["pause", "resume"]


def test_an_incomplete_pause_is_taken_back_and_refused(bench: Bench) -> None:
    def late() -> None:
        raise DeadlineError("transactions are still under way")

    bench.pooler.during_pause = late
    answer = bench.gate.answer(pause())
    assert not answer.ok and not answer.paused
    assert answer.reason == "not paused within 5 s: transactions are still under way"
    assert bench.told() == ["pause", "resume"]


def test_a_new_owner_ends_a_pause_that_still_waits(bench: Bench) -> None:
    bench.pooler.during_pause = lambda: bench.gate.answer(Question(SERVE, 2, 0.0)) and None
    answer = bench.gate.answer(pause())
    assert not answer.ok and answer.reason == "let go in the meantime"
    assert bench.told() == ["pause", "reconnect", "resume"]


@pytest.mark.parametrize(("term", "at"), [(1, 5.0), (2, 4.0)])
def test_old_words_do_not_count(bench: Bench, term: int, at: float) -> None:
    bench.gate.answer(Question(SERVE, 2, 5.0))
    bench.told()
    answer = bench.gate.answer(pause(term, at))
    assert not answer.ok and "overtaken" in answer.reason
    assert not bench.told()


def test_a_late_word_of_the_owner_does_not_end_its_own_pause(bench: Bench) -> None:
    bench.gate.answer(pause(term=2, at=6.0))
    assert not bench.gate.answer(Question(SERVE, 2, 5.9)).ok
    assert bench.told() == ["pause"]


def test_a_refused_move_is_let_go_without_new_connections(bench: Bench) -> None:
    bench.gate.answer(Question(SERVE, 1, 1.0))
    bench.told()
    bench.gate.answer(pause(term=1, at=2.0))
    assert bench.gate.answer(Question(SERVE, 1, 3.0)).ok
    assert bench.told() == ["pause", "resume"]


def test_a_takeover_replaces_connections_once(bench: Bench) -> None:
    bench.gate.answer(Question(SERVE, 7, 1.0))
    bench.gate.answer(Question(SERVE, 7, 2.0))
    assert bench.told() == ["reconnect"]


def test_clients_are_held_until_the_address_answers(bench: Bench) -> None:
    bench.gate.answer(pause())
    bench.answers = False
    answer = bench.gate.answer(Question(SERVE, 2, 1.0))
    assert not answer.ok and answer.paused
    bench.answers = True
    assert bench.gate.answer(Question(SERVE, 2, 2.0)).ok
    assert bench.told() == ["pause", "reconnect", "resume"]


def test_status_and_nonsense(bench: Bench) -> None:
    assert bench.gate.answer(Question(STATUS)).reason == "serving, term None"
    bench.gate.answer(pause())
    assert bench.gate.answer(Question(STATUS)).reason.startswith("held for another")
    assert not bench.gate.answer(Question("shutdown")).ok


def test_a_pooler_that_does_not_answer_is_a_reason(bench: Bench) -> None:
    bench.pooler.failing = "reconnect"
    answer = bench.gate.answer(Question(SERVE, 1, 1.0))
    assert (answer.ok, answer.reason) == (False, "PgBouncer does not answer")
