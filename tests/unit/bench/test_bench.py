"""Benchmarks: how figures are summed up and shown, and how a benchmark is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from holdfast.bench import cli
from holdfast.bench.figure import Figure, Floor, document, machine, table
from holdfast.cli import main

FLOOR = Floor("a bare one", 2.0)
SLOW = Figure("up", "s", (9.0, 5.0, 30.0), FLOOR, aim=8)
FAST = Figure("down", "s", (3.0,), FLOOR, aim=3)
FREE = Figure("memory", "MiB", (80.0, 90.0), FLOOR)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cli, "BENCHMARKS", tmp_path)
    (tmp_path / "tiny.py").write_text('''
from holdfast.bench.figure import Figure, Floor
PURPOSE = "nothing much"
def measure(report, quick):
    report("measuring")
    return [Figure("it", "s", (1.0 if quick else 4.0,), Floor("nothing", 0.5))]
''')
    return tmp_path


def test_median_ratio_and_verdict() -> None:
    assert (SLOW.value, SLOW.ratio, SLOW.verdict) == (9.0, 4.5, "missed")
    assert (FAST.value, FAST.ratio, FAST.verdict) == (3.0, 1.5, "met")
    assert (FREE.value, FREE.verdict) == (85.0, "")


def test_table_for_people() -> None:
    assert table([SLOW, FAST, FREE]).splitlines() == [
        "FIGURE  VALUE                 FLOOR    RATIO  AIM         FLOOR IS",
        "up      9.0 s (5.0-30.0)      2.0 s    4.5    8 s missed  a bare one",
        "down    3.0 s                 2.0 s    1.5    3 s met     a bare one",
        "memory  85.0 MiB (80.0-90.0)  2.0 MiB  42.5   -           a bare one"]


def test_a_small_ratio_keeps_its_digits() -> None:
    assert "0.13" in table([Figure("move", "s", (1.3,), Floor("another product", 10.0))])


def test_percentile_where_there_are_enough_samples() -> None:
    many = Figure("crash", "s", tuple(float(number) for number in range(1, 21)), FLOOR)
    assert many.p95 == 19.0
    assert many.spread == " (1.0-20.0, p95 19.0)"


def test_document_for_machines() -> None:
    told = document("lab", [SLOW, FREE], quick=True, host=machine())
    assert json.loads(json.dumps(told))["figures"][0] == {
        "name": "up", "unit": "s", "samples": [9.0, 5.0, 30.0], "floor": {"what": "a bare one", "value": 2.0}, "aim": 8,
        "value": 9.0, "p95": 30.0, "ratio": 4.5, "verdict": "missed"}
    assert told["figures"][1]["verdict"] is None
    assert told["quick"] is True
    assert told["machine"]["memory_mib"] > 0


def test_a_benchmark_is_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench"]) == 0
    assert capsys.readouterr().out == "tiny        nothing much\n"
    target = folder / "out.json"
    assert main(["bench", "tiny", "--quick", "--json", str(target)]) == 0
    assert "it      1.0 s  0.5 s  2.0" in capsys.readouterr().out
    assert json.loads(target.read_text())["figures"][0]["value"] == 1.0


PARTED = '''
from holdfast.bench.figure import Figure, Floor
PURPOSE = "two things"
PARTS = {"one": "the first", "two": "the second"}
def measure(report, quick, parts):
    return [Figure(part, "s", (1.0,), Floor("nothing", 4.0)) for part in parts]
'''


def test_a_benchmark_may_have_parts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "parted.py").write_text(PARTED)
    assert main(["bench"]) == 0
    assert "parted      two things\n  --only one         the first\n  --only two         the second\n" in capsys.readouterr().out
    assert main(["bench", "parted", "--only", "two"]) == 0
    assert [row.split()[0] for row in capsys.readouterr().out.splitlines()[1:]] == ["two"]
    assert main(["bench", "parted"]) == 0
    assert [row.split()[0] for row in capsys.readouterr().out.splitlines()[1:]] == ["one", "two"]


def test_what_was_measured_before_a_part_broke_off_is_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    breaking = PARTED.replace("    return [", "    yield from [") + "    raise OSError('the second lab')\n"
    (folder / "breaking.py").write_text(breaking)
    target = folder / "out.json"
    with pytest.raises(OSError, match="the second lab"):
        main(["bench", "breaking", "--only", "one", "--json", str(target)])
    assert "one     1.0 s  4.0 s  0.25" in capsys.readouterr().out
    assert [figure["name"] for figure in json.loads(target.read_text())["figures"]] == ["one"]


def test_a_part_that_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "parted.py").write_text(PARTED)
    assert main(["bench", "parted", "--only", "six"]) == 2
    assert capsys.readouterr().err == "holdfast: --only six: the benchmark 'parted' has the parts one, two\n"
    assert main(["bench", "tiny", "--only", "one"]) == 2
    assert capsys.readouterr().err == "holdfast: --only one: the benchmark 'tiny' has no parts\n"


def test_the_help_names_the_parts_of_takeover() -> None:
    assert tuple(cli.load(cli.benchmarks()["takeover"]).PARTS) == cli.TAKEOVER_PARTS


def test_wrong_requests(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "huge"]) == 2
    assert capsys.readouterr().err == "holdfast: there is no benchmark 'huge'; there are tiny\n"
    assert main(["bench", "tiny", "--json", "/no/such/folder/x.json"]) == 2
    assert "can't be written" in capsys.readouterr().err


def test_every_benchmark_of_this_checkout_can_be_loaded() -> None:
    for path in cli.benchmarks().values():
        module = cli.load(path)
        assert module.PURPOSE
        assert callable(module.measure)
