"""Which way the probe goes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from holdfast.drill.errors import DrillError
from holdfast.drill.route import Route, choose_route
from holdfast.drill.view import ClusterView
from tests.unit.drill.site_view import PACKAGE, view


def with_poolers(*poolers: dict[str, object]) -> ClusterView:
    return replace(view(), package={**PACKAGE, "poolers": poolers})


def test_straight_to_the_address() -> None:
    assert choose_route(view(), "client1", "address") == Route("address", "10.20.0.50", 5432, 2.0)


def test_the_pooler_on_the_same_host_comes_first() -> None:
    far = {"host": "app1", "address": "10.20.0.9", "port": 6432}
    near = {"host": "client1", "address": "10.20.0.101", "port": 7000}
    assert choose_route(with_poolers(far, near), "client1", "pooler") == Route("pooler", "10.20.0.101", 7000, 60.0)
    assert choose_route(with_poolers(far), "client1", "pooler").host == "10.20.0.9"


def test_no_pooler_is_an_error() -> None:
    with pytest.raises(DrillError, match="has no pooler"):
        choose_route(with_poolers(), "client1", "pooler")
