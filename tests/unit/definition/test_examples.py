"""The example definitions are right: what a reader copies resolves without a problem."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.holdfast.cluster.plugins.module_utils.definition.resolve import resolve_site

ROOT = Path(__file__).parents[3]
INVENTORIES = ROOT / "inventories"
EXAMPLES = [*sorted((INVENTORIES / "example/group_vars/all").glob("packages_*.yml.example")),
            INVENTORIES / "erp_lab/group_vars/all/packages.yml",
            ROOT / "benchmarks/takeover_parts/eight_packages.yml"]  # fmt: skip


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_resolves(path: Path, definitions, inventory) -> None:
    packages = yaml.safe_load(path.read_text())["holdfast_packages"]
    storages = [package["storage"] for package in packages]
    luns = [{"name": name, "size": "4 GiB"} for storage in storages for name in (storage["lock_lun"], *storage["luns"])]
    site = resolve_site({**definitions, "holdfast_luns": luns, "holdfast_packages": packages}, inventory)
    assert [package["name"] for package in site["packages"]] == [package["name"] for package in packages]
