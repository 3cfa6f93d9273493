"""The parts of the benchmark of takeovers: their figures, and the data that they build from."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from benchmarks import takeover
from benchmarks.peers.pacemaker import cluster as pacemaker
from benchmarks.takeover_parts import eight, pooler
from holdfast.bench.figure import Figure, Floor
from holdfast.bench.measured import Series, read_attempt
from holdfast.lab.topology import load_topology, to_data

FLOOR = Floor("the database alone", 0.5)


def series(*worst: float, failed: int = 0) -> Series:
    """An event every 10 s with one writer that has success every 0.1 s but for so long after each event."""
    attempts, events = [], []
    for number, seconds in enumerate(worst):
        begun = 10.0 * number + 5
        events.append(begun)
        ends = [begun - 5 + tenth / 10 for tenth in range(100)]
        attempts += [told(end, "ok") for end in ends if not begun < end < begun + seconds]
        attempts += [told(begun + seconds / 2, "fail")] * failed
    return Series(tuple(events), {"erp": attempts})


def told(end: float, outcome: str):
    return read_attempt({"worker": "w1", "role": "writer", "seq": 1, "rows": 1, "t_wall": end, "seconds": 0.0,
                         "outcome": outcome})


def test_holdfast_beside_pacemaker_where_both_ran() -> None:
    figures = [Figure("move", "s", (1.0, 2.0), FLOOR), Figure("  move: detect", "s", (0.1,), FLOOR),
               Figure("pacemaker: move", "s", (10.0,), FLOOR), Figure("pacemaker: node crash", "s", (15.0,), FLOOR)]
    (beside,) = takeover.beside_pacemaker(figures)
    assert (beside.name, beside.samples, beside.floor.value) == ("holdfast / pacemaker: move", (1.0, 2.0), 10.0)
    assert beside.ratio == pytest.approx(0.15)
    assert takeover.beside_pacemaker(figures[:2]) == []


def test_parts_run_in_the_order_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("single", "eight", "pooler"):
        figure = Figure(name, "s", (1.0,), FLOOR)
        monkeypatch.setattr(getattr(takeover, name), "measure", lambda *words, figure=figure, **more: [figure])
    figures = list(takeover.measure(lambda text: None, True, ("pooler", "eight", "pacemaker")))
    assert [figure.name for figure in figures] == ["single", "eight", "pooler"]


def test_the_worst_of_eight_is_the_worst_of_each_event() -> None:
    floor = Floor("8 databases alone, stopped and started", 2.0)
    worst, beside, erp = eight.compare("move", {"erp": (1.0, 2.0), "sales": (3.0, 1.0)}, 1.0, floor)
    assert (beside.samples, beside.floor, beside.aim) == (worst.samples, floor, None)
    assert (worst.samples, erp.samples) == ((3.0, 2.0), (1.0, 2.0))
    assert worst.aim == erp.aim == 2.0


def test_no_failed_transaction_behind_the_pooler_meets_the_aim() -> None:
    failed, delay = pooler.compare(series(2.0, 2.2, failed=4), series(1.0, 1.2))
    assert (failed.value, failed.floor.value, failed.verdict) == (0, 8, "met")
    assert (delay.value, delay.floor.value) == pytest.approx((1.1, 2.1))


def test_one_failed_transaction_in_one_of_many_moves_misses_it() -> None:
    pooled = series(1.0, 1.0, 1.0, failed=0)
    pooled.attempts["erp"].append(told(5.5, "fail"))
    assert pooler.compare(series(2.0, failed=4), pooled)[0].verdict == "missed"


@pytest.mark.parametrize("recipe", [eight.EightCluster.recipe, pacemaker.PacemakerCluster.recipe])
def test_other_labs_are_the_default_one_with_more(recipe) -> None:
    default, other = to_data(load_topology("default")), to_data(load_topology(recipe.topology))
    assert other["networks"] == default["networks"]
    for name, machine in default["nodes"].items():
        assert {**other["nodes"][name], "memory_mib": 0} == {**machine, "memory_mib": 0}


def test_pacemaker_has_the_package_of_the_lab() -> None:
    (package,) = yaml.safe_load(Path("inventories/lab/group_vars/all/packages.yml").read_text())["holdfast_packages"]
    assert {key: package[key] for key in ("name", "virtual_addresses")} == {
        key: pacemaker.PACKAGE[key] for key in ("name", "virtual_addresses")}
    machines = load_topology("default").machines
    assert package["nodes"] == "{{ groups['cluster_nodes'] }}"
    assert pacemaker.PACKAGE["nodes"] == [machine.name for machine in machines if machine.role == "node"]
    (database,) = pacemaker.PACKAGE["resources"]
    wanted = package["resources"][0]["postgresql"]
    assert (database["port"], database["data_directory"]) == (wanted["port"], wanted["data_directory"])
