"""A checked runbook, frozen. Nothing in here can be missing or misspelt any more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class FaultStep:
    id: str
    kind: str
    target: str
    parameters: Mapping[str, Any]
    ttl_seconds: float
    heal: str


@dataclass(frozen=True)
class WaitStep:
    what: str
    target: str | None
    state: str | None
    seconds: float
    fault: str | None
    timeout_seconds: float


@dataclass(frozen=True)
class CheckStep:
    what: str
    target: str | None


@dataclass(frozen=True)
class CommandStep:
    verb: str
    target: str
    to: str | None
    expect: str
    background: bool = False
    without_poolers: bool = False


@dataclass(frozen=True)
class PlaybookStep:
    file: str
    variables: Mapping[str, Any]


@dataclass(frozen=True)
class QuestionStep:
    text: str
    proceed_on: str


@dataclass(frozen=True)
class HealStep:
    fault: str


Action = FaultStep | WaitStep | CheckStep | CommandStep | PlaybookStep | QuestionStep | HealStep


@dataclass(frozen=True)
class Step:
    """One action with the words that a person reads while it runs."""

    name: str
    action: Action


@dataclass(frozen=True)
class Expectation:
    owner: str
    outage: str | float
    client_errors: str = "allowed"
    moves: int = 1
    resets: tuple[str, ...] = ()
    may_reset: tuple[str, ...] = ()
    address_overlap_seconds: float = 0.0
    log_patterns_allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class AppliesTo:
    nodes_minimum: int = 2
    resources: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Runbook:
    name: str
    title: str
    purpose: str
    category: str
    disruption: str
    steps: tuple[Step, ...]
    expect: Expectation
    entrance: tuple[str, ...]
    must_catch: tuple[str, ...]
    known_as: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    applies_to: AppliesTo = field(default_factory=AppliesTo)
    restore: tuple[Step, ...] = ()
    measure_through: str = "address"
    integrity: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[FaultStep, ...]:
        return tuple(s.action for s in (*self.steps, *self.restore) if isinstance(s.action, FaultStep))
