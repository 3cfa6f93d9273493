#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Start, stop and move a package through the agent of a node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: package
short_description: Bring a package to a state
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
description:
  - Gives the agent of this node one command and waits until the package is in the wanted state.
  - A move is done when the target holds the package. Whether it serves there its own agent says; C(switch_package.yml) asks it.
  - The agent refuses what would fail and says why; the refusal is the module's error.
  - With V(moved), given to the node that owns the package, RV(package) has the agent's preview of the move, in check mode
    too. A move that would be refused fails there as well.
extends_documentation_fragment: [holdfast.cluster.attributes]
options:
  name:
    description: Name of the package.
    type: str
    required: true
  state:
    description:
      - V(started) runs it on any node, V(stopped) on none, V(moved) on O(node).
      - V(maintenance) leaves it as it is and reacts to nothing; V(in_service) ends that.
      - V(detached) lets the agent stop while the package keeps serving; V(attached) takes it back.
      - V(rejoined) lets an ejected node take part again; V(failures_forgotten) resets the failure count.
    type: str
    required: true
    choices: [started, stopped, moved, maintenance, in_service, detached, attached, rejoined, failures_forgotten]
  node:
    description: Node to move it to.
    type: str
  up_to:
    description:
      - With V(started), the step up to which the package is started, C(mount) or the name of a resource.
      - It then stays in maintenance without its address until V(in_service) starts the rest, or V(stopped) ends it.
    type: str
  without_poolers:
    description: With V(moved), do not pause the package's poolers first, so that their clients see errors. For a move that
      cannot wait for a pooler that does not answer.
    type: bool
    default: false
  longest_transaction_seconds:
    description: With V(moved), refuse while a transaction of one of the package's databases has been open for longer than this,
      because the move would roll it back. Without it the preview shows the longest one, and none is in the way.
    type: float
  wait_seconds:
    description: With O(longest_transaction_seconds), wait so long for such a transaction to end, and refuse only then.
    type: float
    default: 0
  timeout_seconds:
    description: Seconds to wait for the state, after O(wait_seconds).
    type: int
    default: 120
"""

EXAMPLES = r"""
- name: Move the package to the other node
  holdfast.cluster.package:
    name: erp
    state: moved
    node: node2

- name: Move it as soon as nobody has been in a transaction for more than half a minute, within five
  holdfast.cluster.package:
    name: erp
    state: moved
    node: node2
    longest_transaction_seconds: 30
    wait_seconds: 300

- name: Mount the file systems for repairs, without database and address
  holdfast.cluster.package:
    name: erp
    state: started
    up_to: mount
"""

RETURN = r"""
package:
  description: What the agent observes of the package.
  returned: success
  type: dict
actions:
  description: The command that was given or, in check mode, would be given.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.package_control import PackageResource
from ..module_utils.resource import run_module

STATES = (
    "started",
    "stopped",
    "moved",
    "maintenance",
    "in_service",
    "detached",
    "attached",
    "rejoined",
    "failures_forgotten",
)


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "required": True, "choices": list(STATES)},
            "node": {"type": "str"},
            "up_to": {"type": "str"},
            "without_poolers": {"type": "bool", "default": False},
            "longest_transaction_seconds": {"type": "float"},
            "wait_seconds": {"type": "float", "default": 0},
            "timeout_seconds": {"type": "int", "default": 120},
        },
        required_if=[("state", "moved", ("node",))],
        supports_check_mode=True,
    )
    run_module(
        module,
        "package",
        lambda params, _check: PackageResource(
            params["name"],
            params["state"],
            params["node"],
            params["timeout_seconds"],
            up_to=params["up_to"],
            without_poolers=params["without_poolers"],
            longest_transaction_seconds=params["longest_transaction_seconds"],
            wait_seconds=params["wait_seconds"],
        ),
    )


if __name__ == "__main__":
    main()
