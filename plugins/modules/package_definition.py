#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Write the documents that the agent reads, and keep the agent running."""

from __future__ import annotations

DOCUMENTATION = r"""
module: package_definition
short_description: Write the documents that the agent reads, and keep it running
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
description:
  - Writes C(/etc/holdfast/node.json) and one C(/etc/holdfast/packages/NAME.json) for each package of the node, each in one
    step, and removes documents of packages that are no longer defined.
  - The agent is enabled and running afterwards; one that runs already is not restarted, which is what
    M(holdfast.cluster.package_agent_restart) is for.
  - Refuses to remove the document of a package that this node serves.
extends_documentation_fragment: [holdfast.cluster.attributes]
options:
  node:
    description: The node's document, from the filter C(node_document).
    type: dict
    required: true
  packages:
    description: The packages' documents, from the filter C(package_documents).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Write the definitions
  holdfast.cluster.package_definition:
    node: "{{ holdfast_site | holdfast.cluster.node_document(inventory_hostname) }}"
    packages: "{{ holdfast_site | holdfast.cluster.package_documents(inventory_hostname) }}"
"""

RETURN = r"""
definition:
  description: Documents and agent as they are now.
  returned: success
  type: dict
  contains:
    documents:
      description: The documents by path.
      type: dict
    agent:
      description: State of the agent's unit by name.
      type: dict
actions:
  description: What was done or, in check mode, would be done.
  returned: success
  type: list
  elements: str
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.agent_restart import UNIT
from ..module_utils.definition.documents import NODE_DOCUMENT, PACKAGE_DIRECTORY, render_document
from ..module_utils.errors import RefusedError
from ..module_utils.file_set import FileSet
from ..module_utils.package_control import read_status
from ..module_utils.resource import run_module
from ..module_utils.unit_set import UnitSet


def build_parts(params, check_mode):
    """The documents first: the agent reads them once, at its start."""
    agent = UnitSet({UNIT: {"enabled": True, "active": True}}, may_be_missing=check_mode)
    return {"documents": build_file_set(params), "agent": agent}


def build_file_set(params):
    """Documents of this node, and nothing in the place of packages that are gone."""
    texts = {NODE_DOCUMENT: render_document(params["node"])}
    for package in params["packages"]:
        texts[f"{PACKAGE_DIRECTORY}/{package['name']}.json"] = render_document(package)
    wanted = {
        path: {"kind": "file", "content": text, "mode": "0600", "owner": "root", "group": "root"} for path, text in texts.items()
    }
    for path in Path(PACKAGE_DIRECTORY).glob("*.json"):
        wanted.setdefault(str(path), None)
    _refuse_served([Path(path).stem for path, entry in wanted.items() if entry is None])
    return FileSet(wanted)


def _refuse_served(names):
    """A package that runs here would go on running with nobody to watch it."""
    status = read_status() if names else None
    for name in names:
        if status and status["packages"].get(name, {}).get("owner") == status["node"]:
            raise RefusedError(f"package {name} is no longer defined, but this node serves it; stop it first")


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "node": {"type": "dict", "required": True},
            "packages": {"type": "list", "elements": "dict", "required": True},
        },
        supports_check_mode=True,
    )
    run_module(module, "definition", build_parts)


if __name__ == "__main__":
    main()
