"""Whatever repeats the schema says the same as the schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.holdfast.cluster.plugins.module_utils.definition.schema import DEFINITIONS, PACKAGE

from holdfast.docs.reference.roles import read_specs

ROOT = Path(__file__).parents[3]
OPTIONS = {
    "holdfast_cluster": "package_cluster",
    "holdfast_luns": "package_luns",
    "holdfast_packages": "package_definitions",
}
ROLES = tuple(sorted(path.parent.parent.name for path in ROOT.glob("roles/*/defaults/main.yml")))


def read_spec(role: str) -> dict[str, Any]:
    return read_specs(ROOT / "roles" / role / "meta" / "argument_specs.yml")


def reduce_schema(spec: dict[str, Any]) -> dict[str, Any]:
    """What an argument spec can say of a part of the schema."""
    known = ("description", "type", "elements", "required", "default", "choices")
    reduced = {key: spec[key] for key in known if key in spec}
    if "options" in spec:
        reduced["options"] = {name: reduce_schema(option) for name, option in spec["options"].items()}
    return reduced


@pytest.mark.parametrize("definition", OPTIONS)
def test_role_package_takes_the_schema(definition: str) -> None:
    option = read_spec("package")["main"]["options"][OPTIONS[definition]]
    schema = reduce_schema(DEFINITIONS[definition])
    assert option["default"] == f"{{{{ {definition} }}}}"
    assert option.get("options") == schema.get("options")
    assert (option["type"], option.get("elements")) == (schema["type"], schema.get("elements"))


@pytest.mark.parametrize("role", ROLES)
def test_defaults_and_argument_specs_agree(role: str) -> None:
    defaults = yaml.safe_load((ROOT / "roles" / role / "defaults" / "main.yml").read_text())
    entries = read_spec(role).values()
    options = {name: option for entry in entries for name, option in entry["options"].items()}
    assert {name: option["default"] for name, option in options.items()} == defaults


@pytest.mark.parametrize("inventory", ["lab", "erp_lab", "example"])
def test_inventories_use_keys_of_the_schema_only(inventory: str) -> None:
    packages = yaml.safe_load((ROOT / "inventories" / inventory / "group_vars" / "all" / "packages.yml").read_text())
    for package in packages["holdfast_packages"]:
        assert set(package) <= set(PACKAGE)
