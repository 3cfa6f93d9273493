#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Bring a set of small files to their wanted state with one call."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_files
short_description: Make, change and remove a set of small files in one go
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
description:
  - Every file is written beside its place and renamed into it, so that no reader ever sees half of one.
  - One call replaces a task for each file; a node pays for one Python process.
  - With O(note) a change that a run makes and does not live to act upon is told to the next run.
extends_documentation_fragment:
  - holdfast.cluster.attributes
options:
  directories:
    description: Directories that must exist.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path.
        type: path
        required: true
      mode:
        description: Permissions, four octal digits.
        type: str
        default: "0755"
      owner:
        description: User.
        type: str
        default: root
      group:
        description: Group.
        type: str
        default: root
  files:
    description: Files that must exist with exactly this content. Their directories must exist or be in O(directories).
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path.
        type: path
        required: true
      content:
        description: The content; may be shown in a diff.
        type: str
      secret_content:
        description: The content where it must never be shown.
        type: str
      validate:
        description:
          - Command that must accept the new content before it replaces the old; V(%s) stands for a file that holds it.
          - Not run in check mode, where the command may not be installed yet.
        type: list
        elements: str
        default: []
      mode:
        description: Permissions, four octal digits.
        type: str
        default: "0644"
      owner:
        description: User.
        type: str
        default: root
      group:
        description: Group.
        type: str
        default: root
  absent:
    description: Files and empty directories that must not exist.
    type: list
    elements: path
    default: []
  note:
    description:
      - File that keeps the changed paths until somebody has acted upon them and removes it (O(absent)). It is written before
        the first change.
    type: path
"""

EXAMPLES = r"""
- name: Keep the journal over a reboot
  holdfast.cluster.site_files:
    directories:
      - path: /etc/systemd/journald.conf.d
    files:
      - path: /etc/systemd/journald.conf.d/60-holdfast.conf
        content: |
          [Journal]
          Storage=persistent
"""

RETURN = r"""
actions:
  description: What was done or, in check mode, would be done.
  returned: success
  type: list
  elements: str
changed_paths:
  description:
    - Paths that were made, changed or removed, or would be in check mode.
    - With O(note) also those that a run before this one changed and nobody acted upon.
  returned: success
  type: list
  elements: str
files:
  description: What is now at each path.
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.errors import HoldfastError
from ..module_utils.file_set import FileSet, read_note
from ..module_utils.resource import sync

_OWNERSHIP = {"owner": {"type": "str", "default": "root"}, "group": {"type": "str", "default": "root"}}


def argument_spec():
    """The options as AnsibleModule takes them."""
    directory = {"path": {"type": "path", "required": True}, "mode": {"type": "str", "default": "0755"}, **_OWNERSHIP}
    file = {
        "path": {"type": "path", "required": True},
        "content": {"type": "str"},
        "secret_content": {"type": "str", "no_log": True},
        "validate": {"type": "list", "elements": "str", "default": []},
        "mode": {"type": "str", "default": "0644"},
        **_OWNERSHIP,
    }
    return {
        "directories": {"type": "list", "elements": "dict", "default": [], "options": directory},
        "files": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": file,
            "required_one_of": [("content", "secret_content")],
            "mutually_exclusive": [("content", "secret_content")],
        },
        "absent": {"type": "list", "elements": "path", "default": []},
        "note": {"type": "path"},
    }


def build_file_set(params):
    """The wanted state of the module's parameters."""
    wanted = dict.fromkeys(params["absent"])
    secrets, checks = [], {}
    for item in params["directories"]:
        wanted[item["path"]] = {"kind": "directory", **{key: item[key] for key in ("mode", "owner", "group")}}
    for item in params["files"]:
        secret = item["content"] is None
        content = item["secret_content"] if secret else item["content"]
        wanted[item["path"]] = {
            "kind": "file",
            "content": content,
            **{key: item[key] for key in ("mode", "owner", "group")},
        }
        secrets += [item["path"]] if secret else []
        checks[item["path"]] = item["validate"]
    return FileSet(wanted, secrets, checks, params["note"])


def main():
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    noted = read_note(module.params["note"]) if module.params["note"] else []
    try:
        result = sync(build_file_set(module.params), module.check_mode)
    except HoldfastError as error:
        module.fail_json(**error.as_result())
    result["files"] = result.pop("state")
    changed = [action.split(" ", 1)[1] for action in result["actions"]]
    result["changed_paths"] = [*(path for path in noted if path not in changed), *changed]
    module.exit_json(**result)


if __name__ == "__main__":
    main()
