"""The storage channel: what it remembers for the status, and how old that is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from holdfast_agent.children.messages import JobEnd
from holdfast_agent.core.actions import Observe
from holdfast_agent.core.events import LunView, Observed, Problem
from holdfast_agent.daemon import storage_channel
from holdfast_agent.daemon.ports import Ports
from holdfast_agent.daemon.storage_channel import StorageChannel
from holdfast_agent.storage.perform import StorageAnswer
from holdfast_agent.storage.targets import LunName, StorageTargets

OWN, PEER = 0x01, 0x02
LOCK, DATA = LunName("erp-lock", "3a"), LunName("erp-data", "3b")


class Clock:
    """Stands in for the loop."""

    now = 100.0


class Child:
    """Stands in for the pool: answers at once with the next of its views."""

    answers: list[Observed]

    def __init__(self, *words: object, **more: object) -> None:
        self.answers = []

    def submit(self, function: object, arguments: object, deadline: float, done: Callable[[JobEnd], None]) -> None:
        done(JobEnd(1, StorageAnswer(self.answers.pop(0), seconds=0.1)))


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> StorageChannel:
    monkeypatch.setattr(storage_channel, "Pool", Child)
    ports: Any = Ports(Clock(), None, None)  # type: ignore[arg-type]
    return StorageChannel(ports, StorageTargets("erp", 1, LOCK, (DATA,)), lambda event: None)


def look(channel: StorageChannel, now: float, lock: LunView, *data: LunView) -> None:
    channel._ports.loop.now = now  # type: ignore[misc]
    channel._pool.answers.append(Observed(1, lock, data))  # type: ignore[attr-defined]
    channel.start(Observe(1, now + 5, data=bool(data)), OWN)


def test_a_node_at_rest_knows_how_old_its_view_of_the_data_luns_is(channel: StorageChannel) -> None:
    look(channel, 100.0, LunView("erp-lock", holder=OWN), LunView("erp-data", holder=OWN))
    look(channel, 160.0, LunView("erp-lock", holder=PEER))
    assert channel.views["erp-data"].holder == OWN
    assert channel.read_at == {"erp-lock": pytest.approx(159.9), "erp-data": pytest.approx(99.9)}


def test_a_lun_that_cannot_be_read_keeps_its_last_view_and_grows_old(channel: StorageChannel) -> None:
    look(channel, 100.0, LunView("erp-lock", holder=PEER))
    look(channel, 130.0, LunView("erp-lock", Problem.NO_PATHS))
    assert channel.views["erp-lock"].holder == PEER
    assert channel.read_at == {"erp-lock": pytest.approx(99.9)}
