"""The agent's start: from the moment that the watchdog is armed, the node resets unless the agent runs."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from holdfast_agent import __main__ as main
from holdfast_agent.daemon.shutdown import SIGNALS
from holdfast_agent.errors import ConfigurationError

CONFIG = SimpleNamespace(profile="fast", node="node1", watchdog="/dev/watchdog")


def blocked() -> set[int]:
    return set(signal.pthread_sigmask(signal.SIG_BLOCK, ())) & set(SIGNALS)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What a start did, in order; the agent and everything of the node are stand-ins, the handling of signals is real."""
    done: list[str] = []

    class Agent:
        def __init__(self, *arguments: object) -> None:
            done.append(f"built with {len(blocked())} of {len(SIGNALS)} signals blocked")

        def start(self) -> None:
            done.append(f"started with {len(blocked())} blocked")

    loop: Any = SimpleNamespace(run=lambda: None, watch=lambda descriptor, what: None)
    for name, stand_in in {
        "load_node": lambda: CONFIG, "load_packages": lambda: (), "read_secret": lambda path: b"s" * 32,
        "set_process_name": lambda name: None, "end_leftovers": lambda pids: None, "enter_agent_group": lambda: (),
        "start_zygote": lambda serve: None, "next_epoch": lambda: 1, "lock_memory": lambda: None,
        "use_real_time": lambda priority: None, "mend_key_file": lambda wwids: False, "Loop": lambda: loop, "NodeAgent": Agent,
        "EventLog": lambda node: SimpleNamespace(write=lambda event, **fields: None),
        "arm_watchdog": lambda *arguments: done.append("armed"),
    }.items():  # fmt: skip
        monkeypatch.setattr(main, name, stand_in)
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    yield done
    signal.set_wakeup_fd(-1)
    for number, handler in handlers.items():
        signal.signal(number, handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def test_no_signal_ends_the_agent_between_the_watchdog_and_the_orderly_end(steps: list[str]) -> None:
    assert main.run_agent() == 0
    assert steps == ["armed", f"built with {len(SIGNALS)} of {len(SIGNALS)} signals blocked", "started with 0 blocked"]


def test_a_node_without_its_cluster_key_arms_no_watchdog(steps: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It could not feed it: a package that runs detached beside a broken upgrade would be reset with the node."""

    def missing(path: object) -> bytes:
        raise ConfigurationError("no key")

    monkeypatch.setattr(main, "read_secret", missing)
    assert main.main() == 1
    assert steps == []
