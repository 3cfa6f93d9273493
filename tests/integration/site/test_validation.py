"""The site's validation on a cluster in service, with a LUN that no package uses: that one is written to, the others are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Site
from tests.integration.site.conftest import GROWN, Load

pytestmark = pytest.mark.lab
SPARE = {"holdfast_luns": [*GROWN["holdfast_luns"], {"name": "spare", "size": "64 MiB"}]}
ARBITRATION = "the owner keeps a LUN and an ejected node is refused"


def validate(site: Site, folder: Path, *words: str) -> dict[str, dict[str, Any]]:
    """The results of the storage tests by name, as the JSON report has them."""
    site.run("validate_site", "-e", '{"validate_site_only": ["storage"]}', "-e", f"validate_site_directory={folder}", *words)
    return {result["name"]: result for result in json.loads((folder / "validation.json").read_text())["tests"]}


def test_without_a_spare_lun_the_arbitration_is_skipped_with_a_reason(deployed: Site, tmp_path: Path) -> None:
    deployed.succeed("build_cluster", "-e", json.dumps(GROWN))
    result = validate(deployed, tmp_path, "-e", json.dumps(GROWN))[ARBITRATION]
    assert result["verdict"] == "SKIPPED"
    assert "no LUN of the site is free for it" in result["findings"][0]


def test_the_array_arbitrates_a_spare_lun_beside_a_package_in_service(deployed: Site, load: Load, tmp_path: Path) -> None:
    words = ("-e", json.dumps(SPARE))
    deployed.succeed("build_cluster", *words)
    results = validate(deployed, tmp_path, *words)
    assert {name: result for name, result in results.items() if result["verdict"] != "PASS"} == {}
    assert ARBITRATION in results
    assert "</html>" in (tmp_path / "validation.html").read_text()
    # A second time: nothing of the first is left on the LUN.
    assert validate(deployed, tmp_path, *words)[ARBITRATION]["verdict"] == "PASS"
    told = load.end()
    assert told["acknowledged"] > 50
    assert (told["errors"], told["lost"]) == ([], [])
