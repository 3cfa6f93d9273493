"""A checked runbook, frozen. Nothing in here can be missing or misspelt any more.

The fields are the keys of the file, defaults filled in; what each may be stands in shape.py. A `target` is a role (owner,
standby, array, …) or all_nodes, never the name of a host.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class FaultStep:
    """Inject a fault; after `ttl_seconds` the node undoes it by itself."""

    id: str
    kind: str
    target: str
    parameters: Mapping[str, Any]
    ttl_seconds: float
    heal: str


@dataclass(frozen=True)
class WaitStep:
    """Wait for a state; `seconds` are part of the state, `timeout_seconds` is when the wait has failed."""

    what: str
    target: str | None
    state: str | None
    seconds: float
    fault: str | None
    timeout_seconds: float


@dataclass(frozen=True)
class CheckStep:
    """Ask the cluster a question that must be answered with yes."""

    what: str
    target: str | None


@dataclass(frozen=True)
class CommandStep:
    """One verb of the agent, given on the target. `expect`: accepted or refused; in the background it is not judged."""

    verb: str
    target: str
    to: str | None
    expect: str
    background: bool = False
    without_poolers: bool = False


@dataclass(frozen=True)
class PlaybookStep:
    """Run a playbook; roles in braces in the variables become names of hosts."""

    file: str
    variables: Mapping[str, Any]


@dataclass(frozen=True)
class QuestionStep:
    """Ask a person; any other answer than `proceed_on` ends the act."""

    text: str
    proceed_on: str


@dataclass(frozen=True)
class HealStep:
    """Undo a fault now, by its id, or all."""

    fault: str


Action = FaultStep | WaitStep | CheckStep | CommandStep | PlaybookStep | QuestionStep | HealStep


@dataclass(frozen=True)
class Step:
    """One action with the words that a person reads while it runs."""

    name: str
    action: Action


@dataclass(frozen=True)
class Expectation:
    """What a PASS takes, beside the standing checks.

    `outage` is the longest wait of a client: in seconds, or none, switchover or takeover (the package's objectives), or any.
    `moves` is how often the owner may change; `resets` are roles that must restart, `may_reset` those that may.
    """

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
    """What a site must have for this drill: nodes, one of these resource types, all of these abilities."""

    nodes_minimum: int = 2
    resources: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Runbook:
    """One drill: what must be true before (`entrance`), what is done, what must come out, and the way back."""

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
        """All that is injected, in order, on the way back as well."""
        return tuple(s.action for s in (*self.steps, *self.restore) if isinstance(s.action, FaultStep))
