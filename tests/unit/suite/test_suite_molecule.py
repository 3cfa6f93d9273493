"""What molecule's output says about the tests in it."""

from __future__ import annotations

import pytest

from holdfast.suite.molecule import count_failed, count_passed


@pytest.mark.parametrize(
    ("output", "passed", "failed"),
    [
        ("6 passed in 58.44s\n4 passed in 1.0s\n", 10, 0),
        ("4 failed, 2 passed in 24.76s\n", 2, 4),
        ("========= 1 failed, 5 passed, 1 skipped in 24.76s =========\n", 5, 2),
        ("  │ 6 passed in 58.44s\n", 6, 0),
        ("1 error in 0.50s\n", 0, 1),
        ("nothing ran\n", 0, 0),
    ],
)
def test_counts(output: str, passed: int, failed: int) -> None:
    assert (count_passed(output), count_failed(output)) == (passed, failed)
