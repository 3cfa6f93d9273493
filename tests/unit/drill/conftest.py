"""What the tests of whole runs share."""

from __future__ import annotations

import pytest

from holdfast.drill import actions, run, waiting


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of the driver's own end at once; those of the runbooks are the tests' own to shorten."""
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(actions, "PROOF_SECONDS", 0.1)
    monkeypatch.setattr(run, "BOOT_SECONDS", 0.2)
    monkeypatch.setattr(run, "FAILBACK_SECONDS", 0.2)
