"""What all tests share: the closed environment, on request."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.closed_environment import Tools, close_world


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tools]:
    """No program starts unless the test announced it; what was announced must be called."""
    world = close_world(monkeypatch)
    yield world
    world.close()
