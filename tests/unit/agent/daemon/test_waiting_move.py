"""A move and the transactions that it throws away: shown, refused, waited for, and given up when nobody waits any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from holdfast_agent.children.messages import JobEnd
from holdfast_agent.config import Resource
from holdfast_agent.core.events import Command, Verb
from holdfast_agent.core.state import State
from holdfast_agent.daemon.pooled_move import Means, PooledMoves, Poolers
from holdfast_agent.daemon.pooler_links import PoolerLinks
from holdfast_agent.daemon.ports import Ports
from holdfast_agent.daemon.waiting_move import TransactionLimit, WaitingMoves, add_transaction_check
from holdfast_agent.resources.kinds import longest_transaction
from holdfast_agent.resources.transaction import Transaction

from tests.unit.agent.daemon.test_pooled_move import MOVE, FakeLog, FakeLoop, FakePool, owner_state, package

DATABASE = Resource("erp", "postgresql", "postgresql", {})
UNIT = Resource("erp", "app.service", "systemd", {})
LONG = Transaction("erp", "pid 12", 83.2)
SHORT = Transaction("erp", "pid 13", 1.0)
HUNG = JobEnd(1, None, "DeadlineError", "PostgreSQL did not answer in time")


class Bench:
    """One package on its owner; ``given`` is what the machine was told, ``answers`` what the operator was."""

    def __init__(self, *resources: Resource) -> None:
        self.pool, self.loop, self.log = FakePool(), FakeLoop(), FakeLog()
        self.state = owner_state()
        self.given: list[Command] = []
        self.answers: list[tuple[bool, str]] = []
        self.is_wanted = True
        ports: Any = Ports(self.loop, self.log, None)  # type: ignore[arg-type]
        defined, pool = replace(package(), resources=resources or (DATABASE, UNIT)), self._pool()
        means = Means(ports, defined, PoolerLinks(ports, defined, pool, b"secret"), pool, lambda: self.state, self._give)
        self.moves = WaitingMoves(means, PooledMoves(means))

    def _pool(self) -> Any:
        return self.pool

    def _give(self, command: Command, answer: Callable[[bool, str], None]) -> None:
        self.given.append(command)

    def move(self, command: Command = MOVE, poolers: Poolers = Poolers.REQUIRED, wait: float | None = 0.0) -> None:
        limit = None if wait is None else TransactionLimit(60.0, wait, lambda: self.is_wanted)
        self.moves.command(command, poolers, lambda ok, reason: self.answers.append((ok, reason)), limit)

    def found(self, end: Transaction | JobEnd | None) -> None:
        """The databases answer what was asked last."""
        job = self.pool.take(longest_transaction)
        assert job.arguments[0] == (DATABASE, UNIT)
        job.done(end if isinstance(end, JobEnd) else JobEnd(1, end))

    def later(self, seconds: float) -> None:
        self.loop.now += seconds
        self.loop.timers.pop()()


@pytest.mark.parametrize("longest", [None, SHORT, replace(LONG, seconds=60.0)])
def test_what_is_within_the_limit_moves_at_once(longest: Transaction | None) -> None:
    bench = Bench()
    bench.move()
    assert not bench.given
    bench.found(longest)
    assert bench.given == [MOVE] and not bench.answers


def test_what_is_longer_refuses_and_is_named() -> None:
    bench = Bench()
    bench.move()
    bench.found(LONG)
    assert bench.answers == [(False, "not moved: erp (pid 12) has been in a transaction for 83 s, the limit is 60 s")]
    assert not bench.given


def test_a_move_waits_for_its_end() -> None:
    bench = Bench()
    bench.move(wait=10)
    bench.found(LONG)
    bench.later(1)
    bench.found(LONG)
    bench.later(1)
    bench.found(SHORT)
    assert bench.given == [MOVE] and not bench.answers
    assert bench.log.events == ["move waits"]


def test_the_wait_has_an_end_to_the_second() -> None:
    bench = Bench()
    bench.move(wait=1.5)
    for seconds in (1.0, 0.5):
        bench.found(LONG)
        bench.later(seconds)
    bench.found(LONG)
    assert not bench.given and not bench.loop.timers
    assert bench.answers[0][1].startswith("not moved: erp (pid 12)")


def test_what_is_not_known_is_no_leave_to_move() -> None:
    bench = Bench()
    bench.move(wait=10)
    bench.found(HUNG)
    assert bench.answers == [(False, "not moved: it is not known who is in a transaction: PostgreSQL did not answer in time")]
    units = Bench(UNIT)
    units.move()
    assert units.answers == [(False, "not moved: none of its resources can say who is in a transaction")]
    assert not (bench.given or units.given or units.pool.jobs)


def test_a_person_who_gave_up_waiting_is_not_surprised_by_a_move() -> None:
    bench = Bench()
    bench.move(wait=100)
    bench.found(LONG)
    bench.is_wanted = False
    bench.later(1)
    assert bench.answers == [(False, "not moved: nobody waits for it any more")]
    assert not bench.given and not bench.pool.jobs


def test_a_package_that_went_elsewhere_meanwhile_is_not_moved() -> None:
    bench = Bench()
    bench.move(wait=100)
    bench.found(LONG)
    bench.state = replace(bench.state, state=State.STANDBY)
    bench.later(1)
    assert bench.answers == [(False, "the package is standby here")]


def test_without_a_limit_nobody_is_asked() -> None:
    bench = Bench()
    bench.move(wait=None)
    assert bench.given == [MOVE] and not bench.pool.jobs


def test_while_one_waits_only_a_machine_that_goes_down_moves() -> None:
    bench = Bench()
    bench.move(wait=100)
    bench.move()
    bench.move(wait=None)
    assert bench.answers == [(False, "busy: a move waits for a transaction to end")] * 2
    down, stop = Command(8, Verb.MOVE), Command(9, Verb.STOP)
    bench.move(down, Poolers.WANTED, wait=None)
    bench.move(stop, wait=None)
    assert bench.given == [down, stop]


def test_after_a_refusal_the_next_move_is_heard() -> None:
    bench = Bench()
    bench.move()
    bench.found(LONG)
    bench.move()
    bench.found(None)
    assert bench.given == [MOVE]


ANSWER = {"ok": True, "reason": "would move to node2", "preview": {"checks": [], "steps": []}}


def limit(wait: float = 0.0) -> TransactionLimit:
    return TransactionLimit(60.0, wait, lambda: True)


@pytest.mark.parametrize(
    ("end", "limited", "ok", "detail"),
    [
        (JobEnd(1, LONG), None, True, "erp (pid 12) has been in a transaction for 83 s"),
        (JobEnd(1), None, True, "nobody is in one"),
        (HUNG, None, True, "not known: PostgreSQL did not answer in time"),
        (JobEnd(1, SHORT), limit(), True, "erp (pid 13) has been in a transaction for 1 s"),
        (JobEnd(1, LONG), limit(), False, "erp (pid 12) has been in a transaction for 83 s, the limit is 60 s"),
        (JobEnd(1, LONG), limit(30), True, "erp (pid 12) has been in a transaction for 83 s, the limit is 60 s; the move would "
                                           "wait for it, up to 30 s"),
        (HUNG, limit(30), False, "not known: PostgreSQL did not answer in time"),
        (None, limit(30), False, "none of its resources can say who is in a transaction"),
    ],
)  # fmt: skip
def test_a_preview_shows_it(end: JobEnd | None, limited: TransactionLimit | None, ok: bool, detail: str) -> None:
    seen = add_transaction_check(ANSWER, end, limited)
    assert seen["preview"]["checks"] == [{"name": "transactions", "ok": ok, "detail": detail}]
    assert (seen["ok"], seen["reason"]) == ((True, "would move to node2") if ok else (False, detail))


def test_a_preview_of_a_package_without_a_database_says_nothing_of_it() -> None:
    assert add_transaction_check(ANSWER, None, None) is ANSWER


def test_the_first_reason_of_a_preview_is_the_machines() -> None:
    refused = {**ANSWER, "ok": False, "reason": "node2 is silent"}
    assert add_transaction_check(refused, JobEnd(1, LONG), limit())["reason"] == "node2 is silent"
