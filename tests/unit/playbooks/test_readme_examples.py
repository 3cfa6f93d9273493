"""The examples of the roles' READMEs run: options are complete, templates can be filled in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
ROLES = sorted(path.parent.name for path in ROOT.glob("roles/*/README.md"))
CHAP = {"username": "node", "password": "a" * 16, "mutual_username": "array", "mutual_password": "b" * 16}
# What the examples leave to the reader's vault.
VAULT = {
    "vault_cluster_key": "k" * 64,
    "vault_chap": {"node1": CHAP, "node2": CHAP},
    "vault_chap_node1": CHAP,
    "vault_chap_node2": CHAP,
    "vault_erp_password": "p" * 24,
}


def plays(role: str) -> list[dict]:
    """The plays of a README; its other YAML is a piece of a definition."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "roles" / role / "README.md").read_text(), re.DOTALL)
    return [play for block in blocks for play in yaml.safe_load(block) if isinstance(play, dict) and "hosts" in play]


@pytest.mark.parametrize("role", ROLES)
def test_the_example_works(role, site, tmp_path):
    found = plays(role)
    assert found, "the README has no play"
    example = tmp_path / "example.yml"
    example.write_text(yaml.safe_dump(found, sort_keys=False))
    run = site.run(example, bare=True, **VAULT)
    assert run.code == 0, run.output
    assert run.changed, "the example reached no host"
