"""Random fault schedules on simulated nodes and array: the invariants hold at every event, service comes back."""

from __future__ import annotations

import pytest

from tests.unit.agent.core.sim_faults import BARE_FAULTS, FAULTS, run_schedule

BLOCK = 40
"""Schedules per test, so that a failure names a seed within a small range."""


@pytest.mark.parametrize("block", range(10))
def test_two_nodes(block: int) -> None:
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        run_schedule(seed, 2, FAULTS)


@pytest.mark.parametrize("block", range(3))
def test_three_nodes(block: int) -> None:
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        run_schedule(seed, 3, FAULTS)


def test_five_nodes() -> None:
    for seed in range(10):
        run_schedule(seed, 5, FAULTS)


@pytest.mark.parametrize("block", range(3))
def test_array_that_forgets_its_reservations(block: int) -> None:
    """Without APTPL, or with keys cleared by hand: two writers only while no reservation exists, service comes back."""
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        run_schedule(seed, 2, BARE_FAULTS)
