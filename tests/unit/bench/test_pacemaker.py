"""What Pacemaker says of the package, recorded on nodes of the lab (Pacemaker 3.0.0)."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.peers.pacemaker import cluster as pacemaker
from benchmarks.peers.pacemaker.cluster import PacemakerCluster, parse_crm_mon
from holdfast.lab.errors import LabError
from tests.unit.drill.site_view import inventory

RECORDED = Path(__file__).parent / "recorded"
STARTED = (RECORDED / "crm_mon_started.xml").read_text()


def test_the_probe_knows_the_package_without_an_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacemaker, "read_inventory", lambda path, project: inventory())
    view = PacemakerCluster("peer", lambda text: None).find_site().view
    assert (view.nodes, view.clients, view.addresses) == (("node1", "node2"), ("client1",), ("10.20.0.50",))
    assert view.database is not None
    assert view.database["port"] == 5432


def test_one_node_runs_everything() -> None:
    assert parse_crm_mon(STARTED) == "node2"


def test_a_resource_that_is_starting_is_not_there_yet() -> None:
    assert parse_crm_mon((RECORDED / "crm_mon_starting.xml").read_text()) is None


@pytest.mark.parametrize(("word", "other"), [
    ('<node name="node1" id="1" online="true"', '<node name="node1" id="1" online="false"'),
    ('unclean="false"', 'unclean="true"'),
    ('maintenance="false" managed="true" failed="false"', 'maintenance="false" managed="false" failed="false"'),
    ('<node name="node2" id="2" cached="true"/>', '<node name="node1" id="1" cached="true"/>'),
    ('<resource id="address"', '<resource id="other"'),
])
def test_what_is_not_quite_in_service(word: str, other: str) -> None:
    before, middle, after = STARTED.rpartition(word)
    assert middle
    assert parse_crm_mon(before + other + after) is None


@pytest.mark.parametrize("text", ["", "Connection refused", STARTED[:500]])
def test_broken_output_is_an_error(text: str) -> None:
    with pytest.raises(LabError, match="something else than XML"):
        parse_crm_mon(text)
