"""The examples of the roles' READMEs run: options are complete, templates can be filled in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

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


def plays(role: str) -> list[dict[str, Any]]:
    """The plays of a README; its other YAML is a piece of a definition."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "roles" / role / "README.md").read_text(), re.DOTALL)
    return [play for block in blocks for play in yaml.safe_load(block) if isinstance(play, dict) and "hosts" in play]


def test_all_examples_work(site, tmp_path):
    """In one run: each of them alone would cost a start of Ansible."""
    found = {role: plays(role) for role in ROLES}
    assert [role for role, examples in found.items() if not examples] == []
    example = tmp_path / "examples.yml"
    example.write_text(yaml.safe_dump([play for examples in found.values() for play in examples], sort_keys=False))
    run = site.run(example, bare=True, **VAULT)
    assert run.code == 0, run.output
    # Every role asked its hosts for something.
    asked = {task.partition(" : ")[0].removeprefix("holdfast.cluster.") for task, _hosts in run.steps}
    assert [role for role in ROLES if role not in asked] == []
