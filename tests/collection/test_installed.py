"""The installed collection works by its full names, far from any checkout and without a network."""

from __future__ import annotations

import base64
import io
import json
import shutil
import sys
import tarfile
from pathlib import Path

import pytest

from tests.collection.conftest import ROOT, Site

PLAYBOOK = """---
- name: Use every role by its full name
  hosts: cluster_nodes
  gather_facts: false
  roles:
{roles}
"""
# Runs the action on the controller that packs the agent; the module itself is replaced by one that shows what it was handed.
ECHO = """#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule({"archive": {}, "digest": {}})
module.exit_json(archive=module.params["archive"])
"""
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())


@pytest.fixture(scope="module")
def example(site: Site) -> Site:
    """The example inventory as its comments say: copied, with secrets filled in."""
    folder = site.folder / "inventory"
    shutil.copytree(ROOT / "inventories" / "example", folder)
    secrets = folder / "group_vars" / "all" / "secrets.yml"
    (folder / "group_vars" / "all" / "secrets.yml.example").unlink()
    secrets.write_text(json.dumps({
        "holdfast_secrets": {"cluster_key": "k" * 32, "erp_password": "only-for-a-test"},
        "holdfast_chap_secrets": {"node1": "a" * 14, "node2": "b" * 14},
        "holdfast_chap_mutual_secrets": {"node1": "c" * 14, "node2": "d" * 14},
    }))
    return site


def test_a_module_documentation_reads_well(site: Site) -> None:
    shown = site.run("ansible-doc", "-t", "module", "holdfast.cluster.package")
    assert shown.startswith("> MODULE holdfast.cluster.package")
    assert "EXAMPLES" in shown


def test_everything_is_found_and_has_documentation(site: Site) -> None:
    pages = json.loads(site.run("ansible-doc", "--metadata-dump", "holdfast.cluster"))["all"]
    assert set(pages["role"]) == {f"holdfast.cluster.{role}" for role in ROLES}
    for kind, folder in (("module", "modules"), ("inventory", "inventory"), ("callback", "callback")):
        wanted = {f"holdfast.cluster.{path.stem}" for path in (ROOT / "plugins" / folder).glob("[!_]*.py")}
        assert {name for name, page in pages[kind].items() if page.get("doc")} == wanted


def test_playbooks_and_roles_by_their_full_names(example: Site) -> None:
    """All playbooks of the collection, and one of the user's own with every role."""
    own = example.folder / "roles.yml"
    own.write_text(PLAYBOOK.format(roles="\n".join(f"    - role: holdfast.cluster.{role}" for role in ROLES)))
    books = [*(f"holdfast.cluster.{name}" for name in PLAYBOOKS), str(own)]
    example.run("ansible-playbook", "-i", "inventory", "--syntax-check", *books)
    shown = example.run("ansible-playbook", "-i", "inventory", "--list-tasks", *books)
    listed = [line.split("/")[-1] for line in shown.splitlines() if line.startswith("playbook: ")]
    assert listed == [*(f"{name}.yml" for name in PLAYBOOKS), "roles.yml"]
    assert [role for role in ROLES if f"holdfast.cluster.{role} : " not in shown] == []


def test_the_example_inventory_is_valid(example: Site) -> None:
    assert "failed=0" in example.run("ansible-playbook", "-i", "inventory", "holdfast.cluster.resolve_site")


def test_the_agent_is_found_beside_the_collection(site: Site) -> None:
    """The role `package` hands the nodes the agent's sources: those of the installed collection, all of them."""
    (site.folder / "library").mkdir()
    installed = site.collections / "ansible_collections" / "holdfast" / "cluster"
    module = installed / "plugins" / "modules" / "package_agent.py"
    kept = module.read_text()
    module.write_text(ECHO)
    try:
        said = site.run("ansible", "localhost", "-i", "localhost,", "-c", "local", "-m", "holdfast.cluster.package_agent",
                        "-e", json.dumps({"ansible_python_interpreter": sys.executable}))
    finally:
        module.write_text(kept)
    archived = json.loads(said.split("=>", 1)[1])["archive"]
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(archived)), mode="r:gz") as archive:
        packed = set(archive.getnames())
    wanted = {str(path.relative_to(ROOT / "agent")) for path in (ROOT / "agent").rglob("*.py")}
    assert packed == wanted
    assert "holdfast_agent/__main__.py" in packed


def test_nothing_was_written_beside_the_collection(example: Site) -> None:
    assert {path.name for path in Path(example.folder).iterdir()} <= {"inventory", "roles.yml", "library", ".ansible"}
