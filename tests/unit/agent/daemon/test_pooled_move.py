"""A planned move with poolers: the order of things, every way out of it, and what never waits for a pooler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from holdfast_agent.children.messages import JobEnd
from holdfast_agent.config import PackageDefinition, Pooler
from holdfast_agent.core.events import Command, PeerView, Verb
from holdfast_agent.core.machine import initial_state
from holdfast_agent.core.state import MachineState, PackageConfig, Peer, State, Step
from holdfast_agent.core.timers import build_timers
from holdfast_agent.daemon.pooled_move import Means, PooledMoves, Poolers, add_pooler_checks
from holdfast_agent.daemon.pooler_links import PoolerLinks
from holdfast_agent.daemon.ports import Ports
from holdfast_agent.pooler.asking import ask_until_agreed
from holdfast_agent.pooler.message import PAUSE, SERVE, Question
from holdfast_agent.pooler.preparing import write_out
from holdfast_agent.resources.kinds import longest_transaction
from holdfast_agent.resources.transaction import Transaction
from holdfast_agent.storage.targets import LunName

NOW = 100.0
LUN = LunName("erp-lock", "36001")
MOVE = Command(7, Verb.MOVE, "node2")


def package(*hosts: str) -> PackageDefinition:
    poolers = tuple(Pooler(host, "10.20.0.101", 6433, 5.0, 60.0) for host in hosts)
    return PackageDefinition("erp", ("node1", "node2"), "manual", True, (), LUN, (LUN,), "vg", (), (), poolers)


def owner_state(*, standby_ready: bool = True) -> MachineState:
    config = PackageConfig("erp", "node1", (("node1", 1), ("node2", 2)), 1, (), build_timers("fast"))
    view = PeerView("standby", 2, 3, standby_ready)
    return replace(initial_state(config, NOW), booted=True, state=State.OWNER, step=Step.RUN, term=3, active=True,
                   verified_at=NOW, peers=(Peer("node2", NOW, True, view, NOW),))  # fmt: skip


@dataclass
class FakeLoop:
    now: float = NOW
    timers: list[Callable[[], None]] = field(default_factory=list)

    def call_at(self, when: float, callback: Callable[[], None]) -> Any:
        self.timers.append(callback)
        timers = self.timers

        class Handle:
            def cancel(self) -> None:
                if callback in timers:
                    timers.remove(callback)

        return Handle()


@dataclass
class Job:
    function: Any
    arguments: tuple[Any, ...]
    done: Callable[[JobEnd], None]

    @property
    def question(self) -> Question:
        question: Question = self.arguments[2]
        return question


class FakePool:
    """Keeps jobs until the test ends them."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def submit(self, function: Any, arguments: tuple[Any, ...], deadline: float, done: Callable[[JobEnd], None]) -> None:
        self.jobs.append(Job(function, arguments, done))

    def take(self, function: Any, verb: str = "") -> Job:
        """The oldest job of a kind; it must be there."""
        job = next(job for job in self.jobs if job.function is function and (not verb or job.question.verb == verb))
        self.jobs.remove(job)
        return job


class FakeLog:
    def __init__(self) -> None:
        self.events: list[str] = []

    def write(self, event: str, **words: object) -> None:
        self.events.append(event)


class Bench:
    """One package on its owner; ``given`` is what the machine was told, ``answers`` what the operator was."""

    def __init__(self, *hosts: str, standby_ready: bool = True) -> None:
        self.pool, self.loop, self.log = FakePool(), FakeLoop(), FakeLog()
        self.state = owner_state(standby_ready=standby_ready)
        self.given: list[Command] = []
        self.answers: list[tuple[bool, str]] = []
        ports: Any = Ports(self.loop, self.log, None)  # type: ignore[arg-type]
        defined, pool = package(*hosts), self._pool()
        self.links = PoolerLinks(ports, defined, pool, b"secret")
        self.moves = PooledMoves(Means(ports, defined, self.links, pool, lambda: self.state, self._give))

    def _pool(self) -> Any:
        return self.pool

    def _give(self, command: Command, answer: Callable[[bool, str], None]) -> None:
        self.given.append(command)
        self.machine_answers = answer

    def move(self, poolers: Poolers = Poolers.REQUIRED, command: Command = MOVE) -> None:
        self.moves.command(command, poolers, lambda ok, reason: self.answers.append((ok, reason)))

    def write_out(self) -> None:
        self.pool.take(write_out).done(JobEnd(1))

    def pause(self, reason: str = "") -> None:
        end = JobEnd(1, None, "PoolerError", reason) if reason else JobEnd(1, "paused after 0.010 s")
        self.pool.take(ask_until_agreed, PAUSE).done(end)


def test_writes_out_then_pauses_then_moves() -> None:
    bench = Bench("client1")
    bench.move()
    assert [job.function for job in bench.pool.jobs] == [write_out]
    bench.write_out()
    assert not bench.given
    question = bench.pool.jobs[0].question
    assert (question.verb, question.term, question.pause_seconds, question.hold_seconds) == (PAUSE, 3, 5.0, 60.0)
    bench.pause()
    assert bench.given == [MOVE]
    bench.state = replace(bench.state, state=State.STANDBY)
    bench.machine_answers(True, "released")
    assert bench.answers == [(True, "released")]
    # The poolers stay held: it is the new owner that tells them to go on.
    assert not bench.pool.jobs


def test_a_checkpoint_that_fails_does_not_stop_a_move() -> None:
    bench = Bench("client1")
    bench.move()
    bench.pool.take(write_out).done(JobEnd(1, None, "DeadlineError", "too slow"))
    bench.pause()
    assert bench.given == [MOVE]


def test_what_the_machine_would_refuse_pauses_nobody() -> None:
    bench = Bench("client1", standby_ready=False)
    bench.move()
    assert bench.answers == [(False, "node2 could not serve the package (standby)")]
    assert not bench.pool.jobs and not bench.given


def test_one_pooler_that_cannot_be_paused_is_a_reason() -> None:
    bench = Bench("client1", "client2")
    bench.move()
    bench.write_out()
    bench.pause()
    bench.pause("not paused within 5 s: transactions are still under way")
    bench.pool.take(longest_transaction).done(JobEnd(1, Transaction("erp", "pid 12", 83.2)))
    assert bench.answers == [
        (False, "not moved: pooler client2: not paused within 5 s: transactions are still under way; "
                "erp (pid 12) has been in a transaction for 83 s")
    ]  # fmt: skip
    assert not bench.given
    assert [job.question.verb for job in bench.pool.jobs] == [SERVE, SERVE]


def test_a_refusal_after_the_pause_lets_clients_go() -> None:
    bench = Bench("client1")
    bench.move()
    bench.write_out()
    bench.pause()
    bench.machine_answers(False, "busy")
    assert bench.pool.take(ask_until_agreed, SERVE).question.term == 3
    assert bench.answers == [(False, "busy")]


def test_a_package_lost_on_the_way_is_not_spoken_for() -> None:
    bench = Bench("client1")
    bench.move()
    bench.write_out()
    bench.pause()
    bench.state = replace(bench.state, state=State.EJECTED)
    bench.machine_answers(False, "lost")
    assert not bench.pool.jobs


def test_a_machine_that_goes_down_moves_without_its_poolers() -> None:
    bench = Bench("client1")
    bench.move(Poolers.WANTED)
    bench.write_out()
    bench.pause("the pooler cannot be asked")
    assert bench.given == [MOVE]


def test_a_machine_that_goes_down_does_not_wait_for_an_operators_move() -> None:
    bench = Bench("client1")
    bench.move()
    bench.move(Poolers.WANTED, Command(8, Verb.MOVE))
    assert bench.given == [Command(8, Verb.MOVE)]


def test_one_move_at_a_time() -> None:
    bench = Bench("client1")
    bench.move()
    bench.move()
    assert bench.answers == [(False, "busy: a move is being prepared")]


@pytest.mark.parametrize("verb", [v for v in Verb if v not in (Verb.MOVE, Verb.FAILBACK)])
def test_no_other_command_waits_for_a_pooler(verb: Verb) -> None:
    bench = Bench("client1")
    bench.move(command=Command(9, verb))
    assert bench.given == [Command(9, verb)]
    assert not bench.pool.jobs


def test_without_poolers_nothing_is_prepared() -> None:
    for bench, poolers in ((Bench(), Poolers.REQUIRED), (Bench("client1"), Poolers.IGNORED)):
        bench.move(poolers)
        assert bench.given == [MOVE] and not bench.pool.jobs


def test_the_owner_says_again_and_again_that_it_serves() -> None:
    bench = Bench("client1")
    bench.links.begin(3)
    bench.pool.take(ask_until_agreed, SERVE).done(JobEnd(1, None, "PoolerError", "the pooler cannot be asked"))
    assert bench.links.status() == {"client1": {"ready": False, "reason": "the pooler cannot be asked"}}
    bench.loop.timers.pop()()
    bench.pool.take(ask_until_agreed, SERVE).done(JobEnd(1, "serving"))
    assert bench.links.status() == {"client1": {"ready": True, "reason": "serving"}}
    assert bench.log.events == ["pooler not told", "pooler serves"]


@pytest.mark.parametrize(("ready", "ok", "reason"), [(True, True, "would move"), (False, False, "pooler client1: no route")])
def test_a_preview_knows_the_poolers(ready: bool, ok: bool, reason: str) -> None:
    answer = {"ok": True, "reason": "would move", "preview": {"checks": [], "steps": []}}
    seen = add_pooler_checks(answer, {"client1": {"ready": ready, "reason": "no route"}})
    assert (seen["ok"], seen["reason"]) == (ok, reason)
    assert seen["preview"]["checks"] == [{"name": "pooler client1", "ok": ready, "detail": "no route"}]


def test_the_first_reason_is_the_machines() -> None:
    answer = {"ok": False, "reason": "node2 is silent", "preview": {"checks": [], "steps": []}}
    assert add_pooler_checks(answer, {"client1": {"ready": False, "reason": "no route"}})["reason"] == "node2 is silent"


def test_who_does_not_own_says_nothing() -> None:
    bench = Bench("client1")
    bench.links.begin(3)
    job = bench.pool.take(ask_until_agreed, SERVE)
    bench.links.end()
    job.done(JobEnd(1, "serving"))
    assert not bench.loop.timers
    assert bench.links.status() == {}
