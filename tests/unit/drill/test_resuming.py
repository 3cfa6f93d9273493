"""A drill whose controller died: what is left, and that the next one undoes it and never calls it a pass."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from holdfast.drill.errors import Refused
from holdfast.drill.journal import open_lines
from holdfast.drill.resuming import find_remains, read_remains
from holdfast.drill.verdict.result import Verdict
from tests.unit.drill.fake_site import FakeCluster, build_drill, journal_of
from tests.unit.drill.scripts import catalogue

CUT = catalogue().runbooks["client_cut_standby"]
pytestmark = pytest.mark.usefixtures("impatient")


def die_after_the_fault(folder: Path, cluster: FakeCluster) -> None:
    drill = build_drill(CUT, cluster, folder)

    def die(step: object) -> None:
        raise SystemExit

    drill.actions.wait = lambda step: die(step) if step.what == "seconds" else None  # type: ignore[method-assign]
    drill.finish = lambda: pytest.fail("a dead controller finishes nothing")  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        drill.execute()
    lines = (folder / "journal.jsonl").read_text().splitlines()
    last = next(i for i, line in enumerate(lines) if '"name": "wait 20 s"' in line)
    (folder / "journal.jsonl").write_text("\n".join(lines[: last + 1]) + "\n")  # no process ends that tidily by itself


def test_the_next_controller_undoes_collects_and_judges(tmp_path: Path) -> None:
    cluster = FakeCluster()
    die_after_the_fault(tmp_path, cluster)
    assert cluster.active
    remains = read_remains(tmp_path)
    assert [(fault.id, fault.host) for fault in remains.faults] == [("network_drop", "node2")]
    assert remains.acted
    assert len(remains.steps_open) == len(CUT.steps) - 1, "only the fault has an end"
    judgement = build_drill(CUT, cluster, tmp_path).resume(remains)
    assert not cluster.active
    assert judgement.of("healed").verdict is Verdict.PASS
    assert judgement.of("steps").verdict is Verdict.UNKNOWN
    assert judgement.verdict is Verdict.UNKNOWN
    assert (tmp_path / "report.html").exists()
    assert journal_of(tmp_path, "resumed")


def test_what_is_no_evidence_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="not the evidence of a run"):
        read_remains(tmp_path)


def test_a_fault_that_was_announced_and_not_yet_told_of_has_to_be_undone() -> None:
    intent = {"kind": "intent", "t_wall": 5.0, "id": "freeze", "step": "freeze", "fault": "node_freeze", "role": "owner",
              "host": "node1", "parameters": {}, "ttl_seconds": 30}  # fmt: skip
    (fault,) = find_remains({}, [intent]).faults
    assert (fault.layer, fault.takes_node_down) == ("power", False)
    assert not find_remains({}, [intent, {"kind": "heal", "id": "freeze", "t_wall": 6.0}]).faults


def test_a_torn_line_is_cut_off_before_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"a": 1}\n{"b": ')
    with open_lines(path) as file:
        file.write('{"c": 3}\n')
    assert [json.loads(line) for line in path.read_text().splitlines()] == [{"a": 1}, {"c": 3}]
