"""What a module's documentation says of its options is what the module takes."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils import basic
from ansible.plugins.action import ActionBase

from holdfast.docs.reference.modules import read_documentation

MODULES = Path(__file__).parents[3] / "plugins" / "modules"
NAMES = sorted(path.stem for path in MODULES.glob("*.py") if path.stem != "__init__")
COMPARED = ("type", "elements", "required", "default", "choices")


class Captured(Exception):
    """Raised where a module makes its AnsibleModule: the test has what it needs."""


@pytest.fixture
def capture(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    taken: dict[str, Any] = {}
    signature = inspect.signature(basic.AnsibleModule.__init__)

    def init(*positional: Any, **named: Any) -> None:
        taken.update(signature.bind(*positional, **named).arguments)
        raise Captured

    def validate(self: object, argument_spec: dict[str, Any]) -> None:
        init(self, argument_spec)

    monkeypatch.setattr(basic.AnsibleModule, "__init__", init)
    monkeypatch.setattr(ActionBase, "run", lambda *words: {})
    monkeypatch.setattr(ActionBase, "validate_argument_spec", validate)
    return taken


def call(name: str, module: Any) -> None:
    """As far as the argument spec. A module that runs on the controller alone is its action plugin."""
    if hasattr(module, "main"):
        module.main()
    else:
        action = importlib.import_module(f"ansible_collections.holdfast.cluster.plugins.action.{name}").ActionModule
        object.__new__(action).run()


def described(option: dict[str, Any]) -> dict[str, Any]:
    """An option in the form of an argument spec, with what is left out filled in; descriptions are not compared."""
    told = {key: option[key] for key in COMPARED if option.get(key) not in (None, False)}
    told.setdefault("type", "str")
    if option.get("suboptions") or option.get("options"):
        inner = option.get("suboptions") or option["options"]
        told["options"] = {name: described(part) for name, part in inner.items()}
    if "choices" in told:
        told["choices"] = list(told["choices"])
    return told


@pytest.mark.parametrize("name", NAMES)
def test_documentation_and_argument_spec_agree(name: str, capture: dict[str, Any]) -> None:
    module = importlib.import_module(f"ansible_collections.holdfast.cluster.plugins.modules.{name}")
    page = read_documentation(MODULES / f"{name}.py")["DOCUMENTATION"]
    assert page["module"] == name
    with pytest.raises(Captured):
        call(name, module)
    taken = {option: described(spec) for option, spec in capture["argument_spec"].items()}
    told = {option: described(spec) for option, spec in (page.get("options") or {}).items()}
    assert told == taken


def test_ansible_test_knows_the_license_of_every_module() -> None:
    """It wants the GPL of each one; the next module that nobody told it about would fail in the stage `sanity` only."""
    file = next((MODULES.parents[1] / "tests" / "sanity").glob("ignore-*.txt"))
    told = [line.split(" ")[0] for line in file.read_text().splitlines() if "missing-gplv3-license" in line]
    assert sorted(Path(line).stem for line in told if line.startswith("plugins/modules/")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_examples_use_the_full_name_and_known_options(name: str) -> None:
    module = importlib.import_module(f"ansible_collections.holdfast.cluster.plugins.modules.{name}")
    known = set(read_documentation(MODULES / f"{name}.py")["DOCUMENTATION"].get("options") or {})
    called = f"holdfast.cluster.{name}"
    used = [task[called] or {} for task in yaml.safe_load(module.EXAMPLES) if called in task]
    assert used
    for options in used:
        assert set(options) <= known
