"""The epoch grows and is never zero."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_agent.daemon.epoch import next_epoch
from holdfast_agent.errors import ConfigurationError


def test_it_grows_with_each_start(tmp_path: Path) -> None:
    assert [next_epoch(tmp_path / "state/epoch") for _ in range(3)] == [1, 2, 3]


def test_it_wraps_past_zero(tmp_path: Path) -> None:
    (tmp_path / "epoch").write_text(str(0xFFFFFF))
    assert next_epoch(tmp_path / "epoch") == 1


def test_a_damaged_file_is_a_reason_not_a_reused_key(tmp_path: Path) -> None:
    (tmp_path / "epoch").write_text("?")
    with pytest.raises(ConfigurationError):
        next_epoch(tmp_path / "epoch")
