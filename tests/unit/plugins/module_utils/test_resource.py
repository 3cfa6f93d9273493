"""Truth table of the sync core: what is read, done and told in each case."""

from __future__ import annotations

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils.errors import ConvergenceError, WaitTimeoutError
from ansible_collections.holdfast.cluster.plugins.module_utils.resource import (
    Action,
    Resource,
    sync,
    sync_parts,
    wait_until,
)


class Counter(Resource):
    """A number that should be I(wanted); one action adds one. I(stuck) acts without effect."""

    def __init__(self, number: int, wanted: int, stuck: bool = False) -> None:
        self.number, self.wanted, self.stuck, self.finished = number, wanted, stuck, 0

    def read(self) -> int:
        return self.number

    def plan(self, before: int) -> list[Action]:
        return [Action("add", "one")] * (self.wanted - before)

    def apply(self, action: Action) -> None:
        self.number += 0 if self.stuck else 1

    def expect(self, before: int) -> int:
        return self.wanted

    def finish(self) -> None:
        self.finished += 1


@pytest.mark.parametrize(
    ("number", "check_mode", "changed", "number_after", "finished"),
    [(0, False, True, 2, 1), (0, True, True, 0, 0), (2, False, False, 2, 0), (2, True, False, 2, 0)],
)
def test_sync_changes_only_outside_check_mode(number, check_mode, changed, number_after, finished):
    counter = Counter(number, wanted=2)
    result = sync(counter, check_mode)
    assert (result["changed"], counter.number, counter.finished) == (changed, number_after, finished)
    assert result["state"] == 2
    assert result["diff"] == {"before": number, "after": 2}
    assert result["actions"] == ["add one"] * (2 - number)


def test_sync_reports_an_action_without_effect_as_error():
    with pytest.raises(ConvergenceError, match="add one"):
        sync(Counter(0, wanted=1, stuck=True))


def test_action_shows_details_but_no_secrets():
    assert Action("grow", "lun", {"size": 5}).describe() == "grow lun (size=5)"
    assert Action("set_chap", "node1", {"password": "hidden"}, secret=True).describe() == "set_chap node1"


def test_wait_until_returns_the_value_and_names_the_last_reason():
    now = iter(range(100))
    assert wait_until(lambda: (True, "ready"), 5) == "ready"
    with pytest.raises(WaitTimeoutError, match="1 of 2 paths"):
        wait_until(lambda: (False, "1 of 2 paths"), 3, clock=lambda: next(now), sleep=lambda _seconds: None)


def test_parts_are_brought_to_their_state_one_after_the_other():
    parts = {"first": Counter(0, wanted=1), "second": Counter(5, wanted=5)}
    result = sync_parts(parts)
    assert (result["changed"], result["actions"]) == (True, ["add one"])
    assert result["state"] == {"first": 1, "second": 5}
    assert result["diff"]["before"] == {"first": 0, "second": 5}
    later = Counter(0, wanted=1)
    with pytest.raises(ConvergenceError):
        sync_parts({"broken": Counter(0, wanted=1, stuck=True), "later": later})
    assert later.number == 0
