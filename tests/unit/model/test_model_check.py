"""The driver of the model: what counts as proven, and what as a mutation that was caught."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

CHECK = Path(__file__).parents[3] / "model" / "check.py"
HELD = "State-vector 116 byte, depth reached 1611, errors: 0\n     3839 states, stored\n"
TWO_ADDRESSES = (
    "pan:1: assertion violated  !(two_addresses) (at depth 126)\n"
    "State-vector 116 byte, depth reached 1565, errors: 1\n     1957 states, stored\n"
)
CYCLE = "pan:1: non-progress cycle (at depth 179)\nState-vector 140 byte, errors: 1\n     9583 states, stored (19128 visited)\n"


@pytest.fixture(scope="module")
def check() -> ModuleType:
    spec = importlib.util.spec_from_file_location("model_check", CHECK)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("caught_by", "output", "good"),
    [
        ("", HELD, True),
        ("", TWO_ADDRESSES, False),
        ("", HELD + "error: max search depth too small\n", False),
        ("", HELD + "cut short: exit status -24\n", False),
        ("", "", False),
        ("two_addresses", TWO_ADDRESSES, True),
        ("two_writers", TWO_ADDRESSES, False),
        ("non-progress cycle", CYCLE, True),
        ("two_addresses", CYCLE, False),
        ("two_addresses", HELD, False),
    ],
)
def test_verdict(check: ModuleType, caught_by: str, output: str, good: bool) -> None:
    """A cut search proves nothing, and a mutation is caught by the property that it is aimed at, or not at all."""
    assert check.verdict(check.Check("a", "", caught_by=caught_by), check.read_output(output))[0] is good


def test_every_mutation_removes_a_guard_that_the_model_has(check: ModuleType) -> None:
    model = (CHECK.parent / "ownership.pml").read_text()
    removed = [word[2:] for mutation in check.MUTATIONS for word in mutation.defines.split() if word.startswith("-DM_")]
    assert all(f"def {name}\n" in model for name in removed)
    used = {line.split()[1] for line in model.splitlines() if line.startswith(("#ifdef M_", "#ifndef M_"))}
    assert used == set(removed)
    assert all(mutation.caught_by for mutation in check.MUTATIONS) and all(c.holds for c in check.CHECKS)
