"""What the tests of a whole run share: no waiting for a site that has no machines."""

from __future__ import annotations

import pytest

from holdfast.drill import actions, run, waiting


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of the driver's own end at once; those of a runbook last as long as it says."""
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(actions, "PROOF_SECONDS", 0.1)
    monkeypatch.setattr(run, "CALM_BEFORE_SECONDS", 0.05)
    monkeypatch.setattr(run, "BOOT_SECONDS", 0.2)
    monkeypatch.setattr(run, "FAILBACK_SECONDS", 0.2)
