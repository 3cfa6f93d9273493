"""What clients saw of a series of events, from the probe's record."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from holdfast.bench import measured as module
from holdfast.bench.measured import Measured, Series, outages_of, read_attempt
from holdfast.lab.errors import LabError


def attempts(worker: str, *ends: float, outcome: str = "ok"):
    return [read_attempt({"worker": worker, "role": "writer", "seq": number, "rows": 1, "t_wall": end - 0.01,
                          "seconds": 0.01, "outcome": outcome}) for number, end in enumerate(ends)]


def test_each_event_has_the_gap_of_its_worst_writer() -> None:
    record = attempts("w1", 1.0, 2.0, 3.5, 10.0, 10.2, 15.0, 15.1) + attempts("w2", 1.0, 2.0, 4.0, 10.0, 12.0, 15.0)
    assert outages_of(record, [2.1, 10.1]) == pytest.approx((6.5, 4.8))


def test_an_event_that_nobody_saw_is_no_outage_of_nothing() -> None:
    with pytest.raises(LabError, match="measured nothing"):
        outages_of(attempts("w1", 5.0, 6.0), [1.0])


def test_failed_transactions_belong_to_the_event_before_them() -> None:
    record = [*attempts("w1", 1.0, 3.0, 9.0, 12.0), *attempts("w1", 0.5, 2.2, outcome="fail"),
              *attempts("w2", 2.3, 2.4, 10.5, outcome="indeterminate")]
    assert Series((2.0, 10.0), {"erp": record}).failed() == (3, 1)


def test_without_a_record_there_is_no_failed_transaction_to_count() -> None:
    with pytest.raises(LabError, match="measured nothing"):
        Series((1.0,), {"erp": []}).failed()


def test_clients_that_hang_are_not_calm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "wait_for", lambda what, question, timeout_seconds: question())
    monkeypatch.setattr(module, "CALM_SECONDS", 0.0)
    clients = Measured.__new__(Measured)
    status = {"waits": {"w1": 5.0}, "last_error": "refused"}
    clients.probes = {"erp": SimpleNamespace(status=status, calm_seconds=60.0)}
    with pytest.raises(LabError, match=r"erp: served .*5\.0.* s ago, .*last error: refused"):
        clients.calm()
    status["waits"]["w1"] = 0.1
    clients.calm()
