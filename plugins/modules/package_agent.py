#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Install the agent's code on a node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: package_agent
short_description: Install the agent's code on a node
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
description:
  - Puts the agent of this collection into a directory named after its content and switches a link to it, so that a node
    never sees half of a version. Does not restart a running agent.
  - The archive is packed on the controller by the action plugin of the same name.
extends_documentation_fragment: [holdfast.cluster.attributes]
options:
  path:
    description: The link.
    type: path
    default: /usr/lib/holdfast/agent
  files:
    description: Files that go with the code, such as its units, which systemd reads again. They belong to root.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path; its directory must exist.
        type: path
        required: true
      content:
        description: The content.
        type: str
        required: true
      mode:
        description: Permissions, four octal digits.
        type: str
        default: "0644"
  archive:
    description: Set by the action plugin.
    type: str
  digest:
    description: Set by the action plugin.
    type: str
"""

EXAMPLES = r"""
- name: Install the agent
  holdfast.cluster.package_agent:
    files:
      - path: /etc/systemd/system/holdfast-agent.service
        content: "{{ lookup('ansible.builtin.template', 'holdfast-agent.service.j2') }}"
  register: agent
"""

RETURN = r"""
agent:
  description: Where the link leads, and the versions that lie on the node.
  returned: success
  type: dict
files:
  description: What is now at each path of O(files).
  returned: success
  type: dict
changed_paths:
  description: Paths of O(files) that were made or changed, and O(path) where the code was; in check mode those that would be.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.agent_installation import AgentInstallation
from ..module_utils.command import run
from ..module_utils.errors import HoldfastError
from ..module_utils.file_set import FileSet
from ..module_utils.resource import join_results, sync
from ..module_utils.unit_set import UNIT_DIRECTORY


def sync_agent(params, check_mode):
    """The code first, then the files that go with it; what `main` returns."""
    code = sync(AgentInstallation(params["path"], params["archive"], params["digest"]), check_mode)
    owner = {"kind": "file", "owner": "root", "group": "root"}
    wanted = {file["path"]: {**owner, "content": file["content"], "mode": file["mode"]} for file in params["files"]}
    files = sync(FileSet(wanted), check_mode)
    changed = [action.split(" ", 1)[1] for action in files["actions"]]
    if not check_mode and any(path.startswith(UNIT_DIRECTORY) for path in changed):
        run(["systemctl", "daemon-reload"])
    joined = join_results({"agent": code, "files": files})
    return {**joined, **joined.pop("state"), "changed_paths": [params["path"]] * code["changed"] + changed}


def main():
    """Run the module."""
    file = {
        "path": {"type": "path", "required": True},
        "content": {"type": "str", "required": True},
        "mode": {"type": "str", "default": "0644"},
    }
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "default": "/usr/lib/holdfast/agent"},
            "files": {"type": "list", "elements": "dict", "default": [], "options": file},
            # Not secret: the archive would fill the node's log and every verbose output.
            "archive": {"type": "str", "no_log": True},
            "digest": {"type": "str"},
        },
        supports_check_mode=True,
    )
    try:
        result = sync_agent(module.params, module.check_mode)
    except HoldfastError as error:
        module.fail_json(**error.as_result())
    module.exit_json(**result)


if __name__ == "__main__":
    main()
